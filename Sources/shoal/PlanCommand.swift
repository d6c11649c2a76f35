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
    let stages = plan.stages.count
    var lines = [
      "\(plan.model): \(plan.kind) over \(plan.members.count) for \(plan.objective),"
        + " \(estimate(plan.tokensPerSecond, plan.tokensPerSecondTogether, stages: stages));"
        + " plan \(plan.plan.prefix(16))",
      "peer      stage  layers   share  heads  columns  vocabulary  format  bytes",
    ]
    for member in plan.members {
      let layers = plan.stages[member.stage].layers
      lines.append(
        String(
          format: "%@  %5d  %7@  %4.1f%%  %5d  %7d  %10d  %6@  %@", String(member.peer.prefix(8)),
          member.stage, "\(layers[0])-\(layers[1] - 1)", member.share * 100, member.headsPerLayer,
          member.ffnColumns, member.vocabularyRows, member.precision,
          ByteCount(member.bytes).description))
    }
    for choice in plan.alternatives {
      let who = choice.peers.map { String($0.prefix(8)) }.joined(separator: ", ")
      let isStaged = choice.kind == "pipeline" || choice.kind == "hybrid"
      let speed = estimate(
        choice.tokensPerSecond, choice.tokensPerSecondTogether, stages: isStaged ? 2 : 1)
      lines.append("instead: \(choice.kind) on \(who), \(speed)")
    }
    for left in plan.excluded { lines.append("left out: \(left.peer.prefix(8)) \(left.reason)") }
    return lines
  }

  /// Stages that are at several jobs at once make more tokens than one job sees.
  private func estimate(_ alone: Double, _ together: Double, stages: Int) -> String {
    let alone = "about \(rate(alone))"
    return stages > 1 ? alone + ", \(rate(together)) over several jobs in flight" : alone
  }

  private func rate(_ tokensPerSecond: Double) -> String {
    String(format: "%.4g tokens/s", tokensPerSecond)
  }
}
