// The peer that runs on this machine, for the commands that ask it.

import ArgumentParser
import Foundation
import ShoalGateway
import ShoalProtocol

/// Where the peer is: `--peer`, else what the data directory says.
struct RunningPeer: ParsableArguments {
  @Option(name: .customLong("peer"), help: "The API of a peer, such as 127.0.0.1:7434.")
  var address: String?
  @OptionGroup var data: DataDirectory

  /// Nil where none runs.
  func client() async throws -> GatewayClient? {
    let text: String
    if let address {
      text = address
    } else {
      let url = data.url.appendingPathComponent(PeerCommand.addressDocument)
      guard let written = try? String(contentsOf: url, encoding: .utf8) else { return nil }
      text = written
    }
    guard let endpoint = Endpoint(text.trimmingCharacters(in: .whitespacesAndNewlines)) else {
      throw ValidationError("--peer is an address and a port, such as 127.0.0.1:7434")
    }
    let client = GatewayClient(
      address: endpoint, key: ProcessInfo.processInfo.environment["SHOAL_API_KEY"])
    if await client.isRunning() { return client }
    if address != nil { throw UserError("no peer answers at \(text): start one with `shoal peer`") }
    return nil
  }

  /// The peer, or a sentence.
  func required() async throws -> GatewayClient {
    guard let client = try await client() else {
      throw UserError("no peer runs here: start one with `shoal peer`")
    }
    return client
  }
}
