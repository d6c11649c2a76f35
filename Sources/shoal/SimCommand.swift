// `shoal sim`: meshes of many peers in virtual time, one story a seed; what breaks says how.

import ArgumentParser
import Foundation
import ShoalProtocol
import ShoalSimulation
import ShoalSystem

/// Such as `7` or `1..1000`.
struct SeedRange: ExpressibleByArgument {
  let range: ClosedRange<UInt64>

  init?(argument: String) {
    let ends = argument.split(separator: ".", omittingEmptySubsequences: true)
    guard let first = ends.first.flatMap({ UInt64($0) }), ends.count <= 2,
      let last = ends.count == 2 ? UInt64(ends[1]) : first, first <= last
    else { return nil }
    range = first...last
  }

  init(_ range: ClosedRange<UInt64>) { self.range = range }
}

struct SimCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sim", abstract: "Runs meshes of many peers in virtual time, and checks them.",
    discussion: """
      Each seed is a story: a mesh forms, is hurt, heals, and is changed once more. What must hold \
      and what is real in it: docs/SIMULATION.md. Exits with 1 where an invariant broke.
      """)

  @Option(help: "Peers of the control plane.") var peers = 100
  @Option(help: "Whole nodes that run jobs; 0: none.") var jobPeers = 4
  @Option(help: "One seed, or a range such as 1..1000.") var seeds = SeedRange(1...20)
  @Option(help: "Kinds of faults, with commas; all or none.") var faults = "all"
  @Option(help: "A matrix of round trips (u16, tenths of a millisecond); default: a LAN.")
  var topology: String?
  @Option(help: "Stories at the same time (default: one for each core).") var threads: Int?
  @Option(help: "Draw the first story into this file.") var svg: String?
  @Flag(help: "Say how each seed ended, on standard error, as it ends.") var each = false
  @Flag(help: "Print facts as JSON.") var json = false

  func validate() throws {
    // Some join on top of those.
    let most = Limits.peers - 24
    guard (2...most).contains(peers) else {
      throw ValidationError("--peers is 2 to \(most), not \(peers)")
    }
    guard (0...16).contains(jobPeers) else {
      throw ValidationError("--job-peers is 0 to 16, not \(jobPeers)")
    }
    _ = try kinds()
  }

  func run() async throws {
    let simulation = Simulation(
      peers: peers, jobPeers: jobPeers, seeds: seeds.range, faults: try kinds(),
      topology: try links(),
      parallel: threads ?? ProcessInfo.processInfo.activeProcessorCount)
    let start = SystemClock().now()
    let isTold = each
    let report = try await simulation.run { progress in
      if isTold { Terminal.printError(Self.line(progress, after: SystemClock().now() - start)) }
      guard Terminal.isInteractive else { return }
      Terminal.printProgress("simulating", progress.done, progress.total)
    }
    Terminal.clearProgress()
    let seconds = (SystemClock().now() - start).inSeconds
    if let svg, let picture = report.picture {
      try Data(picture.utf8).write(to: URL(fileURLWithPath: svg))
    }
    if json {
      try JSONOutput.print(report)
    } else {
      for line in report.lines { print(line) }
      for failure in report.failures { show(failure) }
      print(String(format: "took %.1f s", seconds))
    }
    if !report.failures.isEmpty { throw ExitCode.failure }
  }

  private static func line(_ progress: Simulation.Progress, after time: Duration) -> String {
    let virtual = Int(progress.virtualSeconds)
    let outcome = progress.broke.map { "broke: \($0)" } ?? "fine"
    return "seed \(progress.seed), \(virtual) virtual s, \(outcome)"
      + " (\(progress.done) of \(progress.total) after \(Int(time.inSeconds)) s)"
  }

  private func kinds() throws -> Set<FaultKind> {
    switch faults {
    case "all": return FaultKind.all
    case "none": return []
    case let list:
      return try Set(
        list.split(separator: ",").map { name in
          guard let kind = FaultKind(rawValue: String(name)) else {
            let known = FaultKind.allCases.map(\.rawValue).joined(separator: ", ")
            throw ValidationError("no fault is called \(name); there are \(known)")
          }
          return kind
        })
    }
  }

  private func links() throws -> LinkTopology {
    guard let topology else { return .lan }
    guard let bytes = FileManager.default.contents(atPath: topology) else {
      throw UserError("\(topology) cannot be read")
    }
    let name = URL(fileURLWithPath: topology).lastPathComponent
    return try LinkTopology(roundTrips: Array(bytes), name: name)
  }

  private func show(_ failure: SimulationReport.Failure) {
    print("")
    print("seed \(failure.seed) broke: \(failure.invariant)")
    print("  \(failure.milliseconds) ms: \(failure.detail)")
    print(
      "  commit \(Self.commit); again: shoal sim --peers \(peers) --job-peers \(jobPeers)"
        + " --seeds \(failure.seed) --faults \(faults)"
        + (topology.map { " --topology \($0)" } ?? ""))
    print("  the faults that do it:")
    for fault in failure.faults { print("    \(fault)") }
    print("  the last of it:")
    for event in failure.trace { print("    \(event)") }
  }

  /// Of the repository that the command runs in; empty outside of one.
  private static var commit: String {
    let git = Process()
    git.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    git.arguments = ["git", "rev-parse", "--short", "HEAD"]
    let output = Pipe()
    git.standardOutput = output
    git.standardError = FileHandle.nullDevice
    do { try git.run() } catch { return "unknown" }
    git.waitUntilExit()
    let text = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
    return text.isEmpty ? "unknown" : text.trimmingCharacters(in: .whitespacesAndNewlines)
  }
}
