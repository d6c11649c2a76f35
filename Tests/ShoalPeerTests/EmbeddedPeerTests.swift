// What an app writes to embed a peer, and that it runs.

import Foundation
import ShoalNode
import ShoalPeer
import ShoalProtocol
import ShoalSecurity
import ShoalSystem
import Testing

@Suite struct EmbeddedPeerTests {
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
    let text = try await story(
      of: repository.appending(path: "testnet/demo-model/shoal-stories-q8_0.gguf").path,
      in: directory, options)
    #expect(text.split(separator: " ").count > 10, "\(text)")
  }
}
