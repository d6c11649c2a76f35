// `shoal peers`: who is on the mesh, as the peer of this machine sees it.

import ArgumentParser
import Foundation
import ShoalGateway
import ShoalProtocol

struct PeersCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "peers", abstract: "Lists the peers of the mesh.")

  @Flag(help: "Print facts as JSON.") var json = false
  @OptionGroup var peer: RunningPeer

  func run() async throws {
    let peers = try await peer.required().peers()
    if json { return try JSONOutput.print(peers) }
    for peer in peers {
      let trip = peer.roundTripMilliseconds.map { String(format: "%.1f ms", $0) } ?? "-"
      let emulation = peer.emulated.map { " (emulated at 1/\(String(format: "%.4g", $0)))" } ?? ""
      print(
        "\(peer.id.prefix(8))  \(peer.state.padding(toLength: 7, withPad: " ", startingAt: 0))  "
          + "\(peer.address ?? "-")  \(trip)  \(peer.profile)\(emulation)"
          + (peer.isSelf ? "  this peer" : ""))
    }
  }
}

struct LeaveCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "leave", abstract: "Lets the peer of this machine say goodbye to the mesh.")

  @OptionGroup var peer: RunningPeer

  func run() async throws { try await peer.required().leave() }
}
