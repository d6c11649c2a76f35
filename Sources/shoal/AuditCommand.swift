// `shoal audit`: what this peer found out by recomputing the work of others, and whether evidence
// holds.

import ArgumentParser
import Foundation
import ShoalInference
import ShoalNode
import ShoalPeer
import ShoalProtocol
import ShoalSystem

struct AuditCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "audit", abstract: "Shows whom audits caught, and checks evidence.",
    subcommands: [Show.self, Check.self], defaultSubcommand: Show.self)

  struct Show: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Shows which peers were wrong, and where the evidence lies.",
      discussion: "A peer is caught where no other rank can have misled it; it is hired no more."
        + " One that is only suspected is hired where those that may have misled it are away.")
    @Flag(help: "Print facts as JSON.") var json = false
    @OptionGroup var data: DataDirectory

    private struct Facts: Encodable {
      let peer: String
      let isCaught: Bool
      let evidence: String?
    }

    func run() throws {
      let documents = try data.open().documents
      let audits = AuditStore(documents: documents)
      let reputation = try audits.reputation()
      let facts = try (reputation.caught + reputation.suspected).map { peer in
        Facts(
          peer: peer.raw.hex, isCaught: reputation.caught.contains(peer),
          evidence: try audits.evidence(against: peer).map { _ in
            "\(documents.path)/\(AuditStore.name(of: peer))"
          })
      }
      if json { return try JSONOutput.print(facts) }
      if facts.isEmpty { print("nobody was found wrong") }
      for fact in facts {
        print(
          "\(fact.peer.prefix(8)) \(fact.isCaught ? "was caught" : "is suspected"):"
            + " \(fact.evidence ?? "no evidence is kept")")
      }
    }
  }

  struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Recomputes what a peer is accused of. Exits with 1 where the accusation is wrong.",
      discussion: "Needs the model's manifest and the accused peer's atoms of one layer in the data"
        + " directory. That the numbers are wrong is shown; that the accused sent them is the"
        + " accuser's word, which it has signed.")
    @Argument(help: "A file that an audit wrote: evidence-audit-...") var file: String
    @OptionGroup var data: DataDirectory

    func run() throws {
      let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: file)))
      let accusation = try Accusation(bytes: bytes)
      let (accuser, suspect) = (accusation.accuser, accusation.suspect)
      switch try accusation.recheck(in: data.open().library, kernels: Kernels()) {
      case .wrong(let element, let claimed, let right):
        print(
          "the numbers are wrong: element \(element) of layer \(accusation.layer) is \(right),"
            + " and not \(claimed)")
        print("\(accuser) signs that \(suspect) said so")
      case .unfounded:
        print("the numbers are right: \(accuser) accuses \(suspect) of nothing")
        throw ExitCode(1)
      }
    }
  }
}
