// `shoal status` and `shoal jobs`: the mesh and its work at this moment.

import ArgumentParser
import ShoalGateway

struct StatusCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status", abstract: "Shows the mesh, its models and its jobs.")

  @Flag(help: "Print facts as JSON.") var json = false
  @OptionGroup var peer: RunningPeer

  private struct Facts: Encodable {
    let api: String
    let peers: [PeerFacts]
    let models: [ModelFacts]
    let jobs: [JobFacts]
  }

  func run() async throws {
    let view = try await MeshView.of(peer.required())
    if json {
      return try JSONOutput.print(
        Facts(api: view.address, peers: view.peers, models: view.models, jobs: view.jobs))
    }
    print("\(Terminal.strong("api")) http://\(view.address)  \(view.summary)\n")
    for (index, lines) in [view.peerLines, view.modelLines, view.jobLines].enumerated() {
      if index > 0 { print() }
      print(Terminal.table(lines).joined(separator: "\n"))
    }
  }
}

struct JobsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "jobs", abstract: "Lists the generations that the peer of this machine was asked.")

  @Flag(help: "Print facts as JSON.") var json = false
  @OptionGroup var peer: RunningPeer

  func run() async throws {
    let client = try await peer.required()
    if json { return try JSONOutput.print(await client.jobs()) }
    print(Terminal.table(try await MeshView.of(client).jobLines).joined(separator: "\n"))
  }
}
