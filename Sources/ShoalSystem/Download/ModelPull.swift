// Pulls a model from a hub or a URL into a folder, file by file.

public import Foundation
internal import ShoalInference
public import ShoalNode
public import ShoalProtocol
internal import Synchronization

/// Where models are pulled from, and with what.
public struct ModelPull: Sendable {
  public let endpoint: URL
  /// Told to `endpoint` and to nobody else.
  public let token: String?
  /// Of the file behind a URL, where whoever asks for it knows it; a hub states its own.
  public var sha256: Bytes32?
  public var rules = DownloadRules()

  /// The hub that most models are on.
  public static let publicHub = "https://huggingface.co"

  /// Nil for an endpoint that is no http or https address.
  public init?(endpoint: String, token: String?) {
    guard let url = URL(string: endpoint), ["http", "https"].contains(url.scheme ?? ""),
      url.host() != nil
    else { return nil }
    self.endpoint = url
    self.token = token
  }

  /// What was pulled: a GGUF file, or a directory.
  public struct Outcome: Hashable, Sendable {
    public let path: String
    /// A name for the model, from the repository or the file.
    public let name: String
  }

  /// Downloads into `folder`. What is there already from an earlier attempt is used.
  ///
  /// Of a repository the small files come first, and a model that they show not to be understood is
  /// refused before its weights are asked for.
  ///
  /// - Parameter progress: bytes of all files together, and the file at hand.
  /// - Throws: what `FileDownload`, the hub's list and `ModelReading.check` throw.
  public func run(
    _ reference: PullReference, into folder: URL, clock: some MeshClock,
    progress: @escaping @Sendable (_ file: String, _ news: DownloadNews) -> Void
  ) async throws -> Outcome {
    switch reference {
    case .url(let url):
      let name = url.lastPathComponent
      let path = folder.appending(path: name).path
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      var order = order(url)
      order.sha256 = sha256
      try await FileDownload.run(order, to: path, rules: rules, clock: clock) { progress(name, $0) }
      return Outcome(path: path, name: url.deletingPathExtension().lastPathComponent)
    case .hub(let repository, let file):
      return try await pull(repository, file, into: folder, clock, progress)
    }
  }

  private func order(_ url: URL) -> DownloadOrder {
    DownloadOrder(url: url, token: token, tokenOrigin: endpoint)
  }

  private func pull(
    _ repository: HubRepository, _ file: String?, into folder: URL, _ clock: some MeshClock,
    _ progress: @escaping @Sendable (String, DownloadNews) -> Void
  ) async throws -> Outcome {
    let folder = folder.appending(path: "\(repository.owner)--\(repository.name)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let listing = try await listing(repository, in: folder, clock)
    let files = try listing.selection(file, repository: "\(repository)")
    let total = files.reduce(UInt64(0)) { $0 &+ ($1.byteCount ?? 0) }
    var before: UInt64 = 0
    let firstWeights = files.first { $0.name.hasSuffix(".safetensors") }
    for file in files {
      if file == firstWeights {
        try ModelReading.check(withoutWeights: ModelFolder(path: folder.path))
      }
      var order = order(repository.file(file.name, commit: listing.commit, endpoint))
      order.byteCount = file.byteCount
      order.sha256 = file.sha256
      let place = folder.appending(path: file.name)
      try FileManager.default.createDirectory(
        at: place.deletingLastPathComponent(), withIntermediateDirectories: true)
      let start = before
      if !Self.isThere(place.path, file) {
        try await FileDownload.run(order, to: place.path, rules: rules, clock: clock) { news in
          if case .bytes(let done, of: _) = news {
            progress(file.name, .bytes(start + done, of: total))
          } else {
            progress(file.name, news)
          }
        }
      }
      before += file.byteCount ?? 0
      progress(file.name, .bytes(before, of: total))
    }
    if let only = files.first, files.count == 1, only.name.hasSuffix(".gguf") {
      let place = folder.appending(path: only.name)
      return Outcome(
        path: place.path, name: place.deletingPathExtension().lastPathComponent)
    }
    return Outcome(path: folder.path, name: repository.name)
  }

  /// A file gets its name only when it is whole; with a size to compare it is not asked for again.
  private static func isThere(_ path: String, _ file: HubFile) -> Bool {
    guard let expected = file.byteCount,
      let found = try? FileManager.default.attributesOfItem(atPath: path)[.size] as? UInt64
    else { return false }
    return found == expected
  }

  private func listing(
    _ repository: HubRepository, in folder: URL, _ clock: some MeshClock
  ) async throws -> HubListing {
    let url = repository.listing(endpoint)
    let path = folder.appending(path: ".listing.json").path
    for leftover in [path, path + ".part", path + ".part.etag"] {
      try? FileManager.default.removeItem(atPath: leftover)
    }
    var bounded = rules
    bounded.byteLimit = UInt64(Limits.hubListingBytes)
    try await FileDownload.run(order(url), to: path, rules: bounded, clock: clock) { _ in }
    defer { try? FileManager.default.removeItem(atPath: path) }
    guard let bytes = FileManager.default.contents(atPath: path) else {
      throw DownloadError.answer("the list of files is gone", url: url.absoluteString)
    }
    do throws(JSONError) {
      let json = try JSONValue(parsing: Array(bytes))
      return try HubListing(JSONNode(json, name: "listing"))
    } catch {
      throw DownloadError.answer("\(error)", url: url.absoluteString)
    }
  }
}
