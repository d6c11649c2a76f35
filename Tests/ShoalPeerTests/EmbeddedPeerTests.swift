// What an app writes to embed a peer, and that it runs.

import Foundation
import Logging
import ShoalNode
import ShoalPeer
import ShoalProtocol
import ShoalSecurity
import ShoalSystem
import Testing

/// What waits for real clocks runs apart from tests that keep all cores busy.
@Suite(.serialized) struct RealTimeTests {
  /// The whole of what an app writes.
  private func story(of model: String, in directory: URL, _ options: PeerOptions) async throws
    -> String
  {
    let peer = try await Peer(options, store: LocalStore(directory))
    return try await peer.running {
      _ = try await peer.importModel(path: model, name: "stories")
      return try await peer.generate("Once upon a time", with: "stories") { _ in }.text
    }
  }

  @Test("an app embeds a peer in ten lines") func embeds() async throws {
    let repository = URL(filePath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    let directory = FileManager.default.temporaryDirectory.appending(path: "shoal-\(UUID())")
    defer { try? FileManager.default.removeItem(at: directory) }
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    // Figures of some machine, so that none is measured here.
    let figures = try String(
      contentsOf: repository.appending(path: "Peers/rtx4090-desktop.toml"), encoding: .utf8)
    try figures.replacingOccurrences(of: "\"rtx4090-desktop\"", with: "\"profile\"")
      .write(
        to: directory.appending(path: Assessment.profileName), atomically: true, encoding: .utf8)
    var options = PeerOptions()
    options.listen = Endpoint("127.0.0.1:0")
    var generator = RandomSourceGenerator(Entropy())
    options.network = try NetworkDescriptor(
      name: "app", admission: .key, privateKey: NetworkKey(using: &generator))
    let kept = KeptLines()
    options.logger = kept.logger(.text, .trace)
    let text = try await story(
      of: repository.appending(path: "testnet/demo-model/shoal-stories-q8_0.gguf").path,
      in: directory, options)
    #expect(text.split(separator: " ").count > 10, "\(text)")
    // Its log says what happened, and nothing of what was asked, answered or kept secret.
    let log = kept.all.joined(separator: "\n")
    for event in ["peer started", "model named", "job started", "job ended"] {
      #expect(log.contains(event), "\(log)")
    }
    let seed = try Data(contentsOf: directory.appending(path: "identity"))
    let digits = seed.map { String(format: "%02x", $0) }.joined()
    for secret in ["Once upon", String(text.prefix(12)), digits] {
      #expect(!log.contains(secret), "\(log)")
    }
  }
}
