// Downloads one file: the shell around `DownloadCore`.

internal import Foundation
public import ShoalNode
internal import ShoalProtocol
internal import Synchronization

/// What a download tells whoever waits for it.
public enum DownloadNews: Hashable, Sendable {
  /// How far it has come; the total is nil while nobody has said it.
  case bytes(UInt64, of: UInt64?)
  /// Nothing comes for so long, then it is tried again.
  case waits(Duration, because: String)
}

public enum FileDownload {
  public typealias Progress = @Sendable (DownloadNews) -> Void

  /// Leaves the file of `order` at `path`, or a `path.part` to go on from and an error.
  ///
  /// - Throws: `DownloadError`, `SystemCallError`, `CancellationError`.
  public static func run(
    _ order: DownloadOrder, to path: String, rules: DownloadRules = DownloadRules(),
    clock: some MeshClock, progress: @escaping Progress
  ) async throws {
    let file = try PartialFile(path: path)
    defer { file.dropIfEmpty() }
    let core = DownloadCore(order, rules: rules, offset: try file.byteCount(), tag: file.tag)
    let sink = DownloadSink(core, file, progress)
    var effects = sink.handle(.start)
    while !effects.isEmpty {
      let effect = effects.removeFirst()
      switch effect {
      case .ask(let request):
        effects += try await sink.ask(request)
      case .wait(let duration, because: let reason):
        progress(.waits(duration, because: reason))
        try await clock.sleep(until: clock.now() + duration)
        effects += sink.handle(.waited)
      case .hash: effects += sink.handle(.hashed(try file.hash()))
      case .restart: try file.restart()
      case .remember(let tag): try file.remember(tag)
      case .accept: break
      case .finish: return try file.finish()
      case .fail(let error): throw error
      }
    }
  }
}

/// Between HTTP's thread, which brings bytes, and the task that asks. Only one of the two is ever
/// at work: the task waits while an answer comes in.
private final class DownloadSink: HTTPSink, @unchecked Sendable {
  private var core: DownloadCore
  private let file: PartialFile
  private let progress: FileDownload.Progress
  /// What the answer made necessary, in place of its end.
  private var outcome: Result<[DownloadCore.Effect], any Error>?

  /// How long a server may say nothing.
  private static let patience = Duration.seconds(60)

  init(_ core: DownloadCore, _ file: PartialFile, _ progress: @escaping FileDownload.Progress) {
    self.core = core
    self.file = file
    self.progress = progress
  }

  func handle(_ event: DownloadCore.Event) -> [DownloadCore.Effect] { core.handle(event) }

  func ask(_ request: HTTPRequest) async throws -> [DownloadCore.Effect] {
    outcome = nil
    let end = try await HTTPExchange.perform(request, patience: Self.patience, into: self)
    if let outcome { return try outcome.get() }
    switch end {
    case .ended: return core.handle(.end)
    case .broken(let reason): return core.handle(.broken(reason))
    }
  }

  func head(_ head: HTTPHead) -> Bool {
    var effects = core.handle(.head(head))
    guard effects.last == .accept else {
      outcome = .success(effects)
      return false
    }
    effects.removeLast()
    do {
      for effect in effects {
        switch effect {
        case .restart: try file.restart()
        case .remember(let tag): try file.remember(tag)
        case .ask, .accept, .wait, .hash, .finish, .fail: break
        }
      }
    } catch {
      outcome = .failure(error)
    }
    return outcome == nil
  }

  func bytes(_ data: Data) -> Bool {
    let place = core.offset
    let effects = core.handle(.bytes(data.count))
    guard effects.isEmpty else {
      outcome = .success(effects)
      return false
    }
    do { try file.write(data, at: place) } catch {
      outcome = .failure(error)
      return false
    }
    progress(.bytes(core.offset, of: core.total))
    return true
  }
}
