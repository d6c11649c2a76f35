// What a plan's formats cost: measured by `shoal perplexity`, printed with the plan.

import Foundation
import Testing

@Suite(.timeLimit(.minutes(10))) struct PlanQualityTests {
  private let shoal: ShoalCommand
  init() throws { shoal = try ShoalCommand() }

  private struct Measured: Decodable {
    let perplexity: Double?
  }

  private func perplexity(of json: String) throws -> Double? {
    try JSONDecoder().decode(Measured.self, from: Data(json.utf8)).perplexity
  }

  /// A phone with room for its part in f16 only, beside a desktop that has room for all.
  private func devices() throws -> (small: String, large: String) {
    let peers = ShoalCommand.root.appending(path: "Peers")
    let phone = try String(
      contentsOf: peers.appending(path: "budget-android.toml"), encoding: .utf8)
    let lines = phone.split(separator: "\n", omittingEmptySubsequences: false).map { line in
      if line.hasPrefix("id = ") { return "id = \"small\"" }
      return line.hasPrefix("usable_bytes = ") ? "usable_bytes = 60_000" : String(line)
    }
    let small = try shoal.write(lines.joined(separator: "\n"), to: "small.toml")
    return (small.path, peers.appending(path: "rtx4090-desktop.toml").path)
  }

  @Test func `a plan of several formats shows the perplexity of the model that it makes`()
    async throws
  {
    let model = try shoal.model("llama-yarn-scales")
    let (small, large) = try devices()
    let planned = try await printed(model, small, large)
    #expect(planned.contains("f16") && planned.contains("f32"))
    #expect(planned.contains("devices hold different formats"))
    let facts = try await printed(model, small, large, "--json")
    #expect(try perplexity(of: facts) == nil)

    let file = try shoal.write(facts, to: "plan.json").path
    for arguments in [["--name", "mixed", "--plan", file], ["--name", "whole"]] {
      #expect(try await shoal.run(["import", model] + arguments).status == 0)
    }
    #expect(try await printed(model, small, large).contains("mixed was made by this plan"))

    let words = (0..<200).map { "t\($0 * 7 % 40)" }.joined(separator: " ")
    let text = try shoal.write(words, to: "words.txt").path
    let measured = try await shoal.run(["perplexity", "mixed", text, "--context", "16", "--json"])
    let mixed = try #require(try perplexity(of: measured.output))
    let line = String(format: "perplexity %.4f", mixed)
    #expect(
      try await printed(model, small, large)
        .contains("mixed, made by this plan, measured on words.txt: \(line)"))
    #expect(try perplexity(of: try await printed(model, small, large, "--json")) == mixed)
    #expect(try await printed("mixed", small, large).contains("measured on words.txt: \(line)"))

    // Another manifest, and another plan over the same header, were not measured.
    #expect(try await !printed("whole", small, large).contains("perplexity"))
    #expect(try await !printed(model, small, large, "--stored").contains("perplexity"))
    let other = try await shoal.run(["perplexity", "whole", text, "--context", "16", "--json"])
    #expect(try perplexity(of: other.output) != mixed)
  }

  private func printed(
    _ model: String, _ small: String, _ large: String, _ flag: String...
  ) async throws -> String {
    let outcome = try await shoal.run(
      ["plan", model, "--objective", "spread", "--context", "32"] + flag
        + ["--peers", small, large])
    #expect(outcome.status == 0, "\(outcome.errors)")
    return outcome.output
  }
}
