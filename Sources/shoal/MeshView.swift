// What `shoal status`, `shoal jobs` and `shoal top` show of a mesh, as lines of text.

import Foundation
import ShoalGateway
import ShoalProtocol

/// The mesh as the peer of this machine sees it, at one moment.
struct MeshView {
  let address: String
  let peers: [PeerFacts]
  let models: [ModelFacts]
  let jobs: [JobFacts]

  static func of(_ client: GatewayClient) async throws -> MeshView {
    async let peers = client.peers()
    async let models = client.models()
    async let jobs = client.jobs()
    return try await MeshView(
      address: "\(client.address)", peers: peers, models: models, jobs: jobs)
  }

  private var alive: Int { peers.count { $0.state == "alive" || $0.state == "suspect" } }
  private var running: Int { jobs.count { $0.state != "waiting" } }
  private var tokensPerSecond: Double { jobs.reduce(0) { $0 + $1.tokensPerSecond } }

  var summary: String {
    String(
      format: "%d of %d peers alive, %d jobs run, %d wait, %.1f tokens/s", alive, peers.count,
      running, jobs.count - running, tokensPerSecond)
  }

  var peerLines: [String] {
    var table = TextTable(
      ["PEER", "STATE", "ADDRESS", "ROUND TRIP", "MEMORY", "CORES", "PROFILE"], numbers: [3, 4, 5])
    for peer in peers {
      table.add([
        String(peer.id.prefix(8)) + (peer.isSelf ? " (here)" : ""), peer.state,
        peer.address ?? "-",
        peer.roundTripMilliseconds.map { String(format: "%.1f ms", $0) } ?? "-",
        "\(ByteCount(peer.usableBytes))", "\(peer.cores)", peer.profile,
      ])
    }
    return table.lines
  }

  var jobLines: [String] {
    if jobs.isEmpty { return ["no jobs"] }
    var table = TextTable(
      ["JOB", "MODEL", "STATE", "PROMPT", "TOKENS", "TOKENS/S", "SECONDS", "PEERS"],
      numbers: [3, 4, 5, 6])
    for job in jobs {
      table.add([
        job.id.isEmpty ? "-" : job.id, job.model, job.state, "\(job.promptTokens)",
        "\(job.tokens)",
        job.tokensPerSecond > 0 ? String(format: "%.1f", job.tokensPerSecond) : "-",
        String(format: "%.1f", job.seconds),
        job.peers.map { "\($0.id.prefix(8)) \(Int(($0.share * 100).rounded()))%" }
          .joined(separator: ", "),
      ])
    }
    return table.lines
  }

  var modelLines: [String] {
    if models.isEmpty { return ["no models: `shoal import FILE` or `shoal pull hf:ORG/REPO`"] }
    var table = TextTable(["MODEL", "BYTES", "ID", "HERE"], numbers: [1])
    for model in models {
      let held = model.held.flatMap { held in model.atoms.map { "\(held) of \($0) atoms" } }
      table.add([
        model.name, "\(ByteCount(model.bytes))", String(model.model.prefix(8)), held ?? "-",
      ])
    }
    return table.lines
  }
}
