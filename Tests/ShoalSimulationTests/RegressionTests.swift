// Seeds that once broke an invariant: they stay on the list, and are told again.

import Foundation
import ShoalSimulation
import Testing

@Suite struct RegressionTests {
  /// One line of Tests/Fixtures/simulation-regressions.json.
  struct Regression: Decodable, Sendable, CustomTestStringConvertible {
    let peers: Int
    let jobPeers: Int
    let seed: UInt64
    let broke: String
    var testDescription: String { "\(peers) peers, seed \(seed): \(broke)" }
  }

  static let list: [Regression] = {
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("Fixtures/simulation-regressions.json")
    guard let bytes = FileManager.default.contents(atPath: file.path) else { return [] }
    return (try? JSONDecoder().decode([Regression].self, from: bytes)) ?? []
  }()

  @Test func `the list is there`() { #expect(Self.list.count >= 5) }

  @Test(arguments: list) func `what broke once holds`(_ regression: Regression) async throws {
    let simulation = Simulation(
      peers: regression.peers, jobPeers: regression.jobPeers,
      seeds: regression.seed...regression.seed)
    let report = try await simulation.run { _ in }
    #expect(report.failures.isEmpty, "\(report.failures.first?.detail ?? "")")
    #expect(report.seeds == 1)
  }
}
