// `shoal bench --sync`: what is measured of the all-reduce, and how it is shown.

import ArgumentParser
import ShoalNode
import ShoalProtocol

struct SyncBenchOptions: ParsableArguments {
  @Flag(help: "The all-reduce alone, over sealed connections of this machine.")
  var sync = false
  @Option(help: "Sizes of the mesh, such as 2,3,4.") var peers = "2,3,4"
  @Option(help: "Elements of one sum, such as 2048,4096,8192.") var widths = "2048,4096,8192"
  @Option(help: "Sums to measure.") var rounds = 4_000
  @Option(help: "Play a link of that many Mbit/s (default: as fast as loopback is).")
  var rate: UInt64?
  @Option(help: "Latency of the played link, one way, in microseconds.") var latency: UInt64 = 0
  @Flag(help: "Sleep at once while waiting, as where threads exceed cores.") var sleeping = false

  func run(json: Bool) async throws {
    let (peers, widths) = (try list(peers, 2...16), try list(widths, 1...65_536))
    guard (1...1_000_000).contains(rounds) else {
      throw ValidationError("--rounds is 1 to 1000000, not \(rounds)")
    }
    if !json {
      print("microseconds of one sum, means over ranks and \(rounds) sums")
      print(SyncFigures.heading)
    }
    var all: [SyncFigures] = []
    for width in widths {
      for count in peers {
        let bench = SyncBench(
          peers: count, width: width, rounds: rounds, pace: pace,
          waiting: sleeping ? .sleep : .adaptive)
        let figures = try await bench.run()
        if !json { print(figures.line) }
        all.append(figures)
      }
    }
    if json { try JSONOutput.print(all) }
  }

  private var pace: DevicePace? {
    guard rate != nil || latency > 0 else { return nil }
    return DevicePace(
      bytesPerSecond: .max, operationsPerSecond: .max,
      linkBytesPerSecond: rate.map { $0 * 125_000 } ?? 1 << 40,
      linkLatency: .microseconds(Int64(clamping: latency)))
  }

  private func list(_ text: String, _ range: ClosedRange<Int>) throws -> [Int] {
    let numbers = text.split(separator: ",").compactMap { Int($0) }
    guard !numbers.isEmpty, numbers.allSatisfy(range.contains),
      numbers.count == text.split(separator: ",").count
    else {
      throw ValidationError(
        "\(text): numbers from \(range.lowerBound) to \(range.upperBound), with commas between")
    }
    return numbers
  }
}
