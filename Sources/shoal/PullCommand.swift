// `shoal pull hf:ORG/REPO[/FILE]`, `shoal pull URL`: downloads a model and brings it in.

import ArgumentParser
import Foundation
import ShoalGateway
import ShoalProtocol
import ShoalSystem
import Synchronization

struct PullCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pull", abstract: "Downloads a model and brings it into the store.",
    discussion: """
      An interrupted download goes on where it stopped. HF_TOKEN, where it is set, is told to the \
      hub and to nobody else.
      """)

  @Argument(help: "hf:ORG/REPO[@REVISION][/FILE], or a URL of a GGUF file.") var reference: String
  @Option(help: "What to call it (default: the repository's or the file's name).")
  var name: String?
  @Option(help: "The hub (default: $HF_ENDPOINT or \(ModelPull.publicHub)).") var endpoint: String?
  @Option(help: "Keep the files in this folder (default: they go once the model is in the store).")
  var to: String?
  @Option(help: "The SHA-256 of a URL's file, 64 hexadecimal digits; a hub states its own.")
  var sha256: String?
  @Flag(help: "Print facts as JSON.") var json = false
  @OptionGroup var peer: RunningPeer

  func run() async throws {
    guard let reference = PullReference(reference) else {
      throw ValidationError(
        "pull what? hf:ORG/REPO, hf:ORG/REPO/FILE or a URL of a file, not \(reference)")
    }
    let environment = ProcessInfo.processInfo.environment
    let hub = endpoint ?? environment["HF_ENDPOINT"] ?? ModelPull.publicHub
    guard var pull = ModelPull(endpoint: hub, token: environment["HF_TOKEN"]) else {
      throw ValidationError("the endpoint \(hub) is no http or https address")
    }
    pull.sha256 = try checksum(of: reference)
    let folder = to.map { URL(fileURLWithPath: $0) } ?? peer.data.url.appending(path: "downloads")
    let bar = SharedProgressBar("pulling")
    defer { bar.finish() }
    let pulled = try await pull.run(reference, into: folder, clock: SystemClock()) {
      bar.tell($1, of: $0)
    }
    bar.finish()
    let facts: ModelFacts
    do {
      facts = try await ModelArrival(peer: peer).bringIn(
        path: pulled.path, name: name ?? pulled.name)
    } catch {
      Terminal.printError("what was downloaded is kept: \(pulled.path)")
      throw error
    }
    if to == nil { try FileManager.default.removeItem(atPath: pulled.path) }
    if json { return try JSONOutput.print(facts) }
    print("\(facts.name)  \(ByteCount(facts.bytes))  \(facts.model)")
  }
}

extension PullCommand {
  private func checksum(of reference: PullReference) throws -> Bytes32? {
    guard let sha256 else { return nil }
    guard case .url = reference else {
      throw ValidationError("--sha256 is for a URL; the hub states the checksums of its files")
    }
    guard let hash = Bytes32(hex: sha256.lowercased()) else {
      throw ValidationError("--sha256 has 64 hexadecimal digits, not \(sha256)")
    }
    return hash
  }
}

/// A bar that another thread draws.
private final class SharedProgressBar: Sendable {
  private let bar: Mutex<ProgressBar>

  init(_ title: String) { bar = Mutex(ProgressBar(title)) }

  func tell(_ news: DownloadNews, of file: String) {
    switch news {
    case .bytes(let done, of: let total):
      bar.withLock { $0.show(done, max(total ?? done, done)) }
    case .waits(let duration, because: let reason):
      finish()
      Terminal.printError(
        String(format: "%@: %@; trying again in %.3g s", file, reason, duration.inSeconds))
    }
  }
  func finish() { bar.withLock { $0.finish() } }
}
