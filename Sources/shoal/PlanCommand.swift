// `shoal plan MODEL`: who would compute what, why, and what else there was.

public import ArgumentParser
import Foundation
import ShoalGateway
public import ShoalProtocol

extension PlanObjective: ExpressibleByArgument {
  public init?(argument: String) {
    guard let match = PlanObjective.allCases.first(where: { $0.name == argument }) else {
      return nil
    }
    self = match
  }
}

struct PlanCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan", abstract: "Prints the plan for a model, and why it is so.")

  @Argument(help: "A model's name.") var model: String
  @Option(help: "latency, throughput or spread.") var objective = PlanObjective.latency
  @Option(help: "Positions to reserve.") var context: Int?
  @Flag(help: "Print facts as JSON.") var json = false
  @OptionGroup var peer: RunningPeer

  func run() async throws {
    let plan = try await peer.required().plan(
      model: model, objective: objective, context: context)
    if json { return try JSONOutput.print(plan) }
    for line in PlanTable(plan).lines { print(line) }
  }
}

/// A plan for people.
struct PlanTable {
  let plan: PlanFacts
  init(_ plan: PlanFacts) { self.plan = plan }

  var lines: [String] {
    var lines = [
      "\(plan.model): \(plan.kind) over \(plan.members.count) for \(plan.objective),"
        + " about \(rate(plan.tokensPerSecond)); plan \(plan.plan.prefix(16))",
      "peer      share  heads  columns  vocabulary  format  bytes",
    ]
    for member in plan.members {
      lines.append(
        String(
          format: "%@  %4.1f%%  %5d  %7d  %10d  %6@  %@", String(member.peer.prefix(8)),
          member.share * 100, member.headsPerLayer, member.ffnColumns, member.vocabularyRows,
          member.precision, ByteCount(member.bytes).description))
    }
    for choice in plan.alternatives {
      let who = choice.peers.map { String($0.prefix(8)) }.joined(separator: ", ")
      lines.append("instead: \(choice.kind) on \(who), about \(rate(choice.tokensPerSecond))")
    }
    for left in plan.excluded { lines.append("left out: \(left.peer.prefix(8)) \(left.reason)") }
    return lines
  }

  private func rate(_ tokensPerSecond: Double) -> String {
    String(format: "%.4g tokens/s", tokensPerSecond)
  }
}
