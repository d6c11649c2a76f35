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

  // Its raw values are the wire's.
  public static var allValueStrings: [String] { allCases.map(\.name) }
  public var defaultValueDescription: String { name }
}

struct PlanCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan", abstract: "Prints the plan for a model, and why it is so.")

  @Argument(help: "A model's name; with --peers also a file or directory: its header is enough.")
  var model: String
  @Option(
    parsing: .upToNextOption,
    help: "Plan over these device profiles, or folders of them, instead of over the mesh.")
  var peers: [String] = []
  @Option(help: "What the plan is to be best at.") var objective = PlanObjective.latency
  @Option(help: "Positions to reserve.") var context: Int?
  @Flag(help: "With --peers: every device holds what the file has, none a lower format.")
  var stored = false
  @Flag(help: "Print facts as JSON.") var json = false
  @OptionGroup var peer: RunningPeer

  func run() async throws {
    var plan =
      peers.isEmpty
      ? try await peer.required().plan(model: model, objective: objective, context: context)
      : try PlannedDevices(
        model: model, paths: peers, objective: objective, context: context, isStored: stored,
        data: peer.data
      ).plan()
    let quality = try PlanQuality(plan, data: peer.data.url)
    plan.perplexity = quality.measured?.perplexity
    if json { return try JSONOutput.print(plan) }
    let isMixed = Set(plan.members.map(\.precision)).count > 1
    for line in PlanTable(plan).lines + quality.lines(isMixed: isMixed) { print(line) }
  }
}

/// A plan for people.
struct PlanTable {
  let plan: PlanFacts
  init(_ plan: PlanFacts) { self.plan = plan }

  var lines: [String] {
    let stages = plan.stages.count
    let width = ((plan.members.map(\.peer)).map { called($0).count } + [8]).max() ?? 8
    let padded = { (text: String) in text + String(repeating: " ", count: width - text.count) }
    var lines = [
      "\(plan.model): \(plan.kind) over \(plan.members.count) for \(plan.objective),"
        + " \(estimate(plan.tokensPerSecond, plan.tokensPerSecondTogether, stages: stages));"
        + " plan \(plan.plan.prefix(16))",
      padded("peer") + "  stage  layers   share  heads  columns  vocabulary  format  bytes",
    ]
    for member in plan.members {
      let layers = plan.stages[member.stage].layers
      lines.append(
        padded(called(member.peer))
          + String(
            format: "  %5d  %7@  %4.1f%%  %5d  %7d  %10d  %6@  %@", member.stage,
            "\(layers[0])-\(layers[1] - 1)", member.share * 100, member.headsPerLayer,
            member.ffnColumns, member.vocabularyRows, member.precision,
            ByteCount(member.bytes).description))
    }
    for choice in plan.alternatives {
      let who = choice.peers.map { called($0) }.joined(separator: ", ")
      let isStaged = choice.kind == "pipeline" || choice.kind == "hybrid"
      let speed = estimate(
        choice.tokensPerSecond, choice.tokensPerSecondTogether, stages: isStaged ? 2 : 1)
      lines.append("instead: \(choice.kind) on \(who), \(speed)")
    }
    for left in plan.excluded { lines.append("left out: \(called(left.peer)) \(left.reason)") }
    if let header = plan.headerMilliseconds {
      lines.append(
        String(
          format: "the header was read and cut in %.0f ms, the plan made in %.0f ms", header,
          plan.planMilliseconds))
    }
    return lines
  }

  /// Stages that are at several jobs at once make more tokens than one job sees.
  private func estimate(_ alone: Double, _ together: Double, stages: Int) -> String {
    let alone = "about \(rate(alone))"
    return stages > 1 ? alone + ", \(rate(together)) over several jobs in flight" : alone
  }

  /// A device by its profile, a peer by the beginning of its id.
  private func called(_ peer: String) -> String { plan.devices?[peer] ?? String(peer.prefix(8)) }

  private func rate(_ tokensPerSecond: Double) -> String {
    String(format: "%.4g tokens/s", tokensPerSecond)
  }
}
