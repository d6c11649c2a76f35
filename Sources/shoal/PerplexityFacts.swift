// What a measurement of a model's quality found: printed, and kept for the plans of that model.

import Foundation
import ShoalLedger
import ShoalNode
import ShoalProtocol
import ShoalSystem

/// What `perplexity --json` prints.
struct PerplexityFacts: Codable {
  let model: String
  let manifest: String
  /// The name of the file that was foretold.
  let text: String
  let chunks: Int
  let positions: Int
  let meanNegativeLogLikelihood: Double
  let perplexity: Double
  let standardError: Double

  init(_ score: TextScore, chunks: Int, of entry: ModelEntry, text: String) {
    model = entry.name
    manifest = entry.model.raw.hex
    self.text = URL(fileURLWithPath: text).lastPathComponent
    self.chunks = chunks
    positions = score.count
    meanNegativeLogLikelihood = score.mean
    perplexity = exp(score.mean)
    standardError = perplexity * score.standardError
  }

  var line: String {
    String(
      format: "perplexity %.4f +/- %.4f over %d positions of %d chunks", perplexity,
      standardError, positions, chunks)
  }
}

extension DirectoryDocuments {
  /// The last measurement of a model, of its very manifest, is what its plans show.
  func keep(_ facts: PerplexityFacts) throws {
    let bytes = Array(try JSONOutput.text(facts).utf8)
    try write("perplexity-" + facts.manifest, bytes, isSecret: false)
  }

  /// Nil: it was never measured here.
  func perplexity(ofManifest manifest: String) throws -> PerplexityFacts? {
    guard !manifest.isEmpty, let bytes = try read("perplexity-" + manifest) else {
      return nil
    }
    return try JSONDecoder().decode(PerplexityFacts.self, from: Data(bytes))
  }
}
