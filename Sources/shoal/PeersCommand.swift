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
          + (peer.isSelf ? "  this peer\(mapping(peer))" : "  \(way(to: peer))"))
    }
  }

  private func mapping(_ peer: PeerFacts) -> String {
    guard let facts = peer.portMapping, let address = facts.address else { return "" }
    return ", let in at \(address) by \(facts.method ?? "its router")"
  }

  private func way(to peer: PeerFacts) -> String {
    let relay = peer.relay.map { " by \($0.prefix(8))" } ?? ""
    return (peer.way ?? "not reached") + relay
  }
}

struct LeaveCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "leave",
    abstract: "Drains the peer of this machine, lets it say goodbye to the mesh, and ends it.")

  @OptionGroup var peer: RunningPeer

  func run() async throws {
    var last: LeaveEvent?
    let unplaced = try await peer.required().leave { event in
      defer { last = event }
      guard event != last else { return }
      switch event {
      case .jobs(let running):
        if running > 0 { Terminal.printError("waiting for \(count(running, "job")) to end") }
      case .atoms(let left, let total):
        Terminal.printError("\(left) of \(total) atoms wait for their copies at other peers")
      case .left: break
      }
    }
    guard unplaced > 0 else { return print("left; others hold all that was here") }
    print(
      "left; \(count(unplaced, "atom")) that it held \(unplaced == 1 ? "has" : "have") fewer copies"
        + " at others than a mesh keeps: they have no room, did not answer, or there are too few")
  }

  private func count(_ number: Int, _ noun: String) -> String {
    "\(number) \(noun)\(number == 1 ? "" : "s")"
  }
}
