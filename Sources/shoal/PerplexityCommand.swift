// `shoal perplexity MODEL FILE`: how well a model foretells a text, measured as llama.cpp's
// llama-perplexity does, so that the two numbers can be compared.

import ArgumentParser
import Foundation
import ShoalInference
import ShoalLedger
import ShoalNode
import ShoalPeer
import ShoalProtocol
import ShoalSystem

struct PerplexityCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "perplexity", abstract: "Measures how well a model foretells a text.",
    discussion: """
      The text is cut into chunks of the context's length, each begun anew with the model's \
      beginning token. Scored are the positions of each chunk's second half.
      """)

  @Argument(help: "A name in the store, or a GGUF file or directory.") var model: String
  @Argument(help: "A text file.") var file: String
  @Option(help: "Tokens of one chunk (default: 512, or what the model was made for).")
  var context: Int?
  @Option(help: "Threads (default: one for each core).") var threads: Int?
  @Flag(help: "Print facts as JSON.") var json = false
  @OptionGroup var data: DataDirectory

  func run() async throws {
    let store = try data.open()
    let bar = ProgressBar("importing")
    let entry = try store.resolve(model) { bar.show($0, $1) }
    bar.finish()
    let manifest = try store.library.manifest(entry.model)
    try manifest.checkGenerates()
    let tokenizer = try store.library.tokenizer(manifest)
    let chunks = try chunks(of: text(), tokenizer, manifest)
    let library = store.library
    let scorer = TextScorer(
      ranks: LocalRanks(
        manifest: manifest, shares: [.whole(manifest.cut)],
        threadsPerRank: threads ?? ProcessInfo.processInfo.activeProcessorCount,
        kernels: Kernels(), clock: SystemClock(), threads: SystemThreads()),
      blob: { try library.atom($0) })
    let scoring = ProgressBar("scoring")
    var score = TextScore()
    for (index, chunk) in chunks.enumerated() {
      // From the token in the middle on, as llama-perplexity.
      score.add(try await scorer.score(chunk, from: chunk.count / 2))
      scoring.show(UInt64(index + 1), UInt64(chunks.count))
    }
    scoring.finish()
    let facts = PerplexityFacts(score, chunks: chunks.count, of: entry, text: file)
    try store.documents.keep(facts)
    if json { return try JSONOutput.print(facts) }
    print(facts.line)
  }

  private func text() throws -> String {
    guard let bytes = FileManager.default.contents(atPath: file) else {
      throw UserError("\(file) cannot be read")
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw UserError("\(file) is not UTF-8")
    }
    return text
  }

  /// What is left after the last whole chunk is not scored.
  private func chunks(
    of text: String, _ tokenizer: Tokenizer, _ manifest: ModelManifest
  ) throws -> [[UInt32]] {
    let limit = manifest.shape.context
    let length = context ?? min(512, limit)
    guard (4...limit).contains(length) else {
      throw ValidationError("--context is 4 to \(limit) for this model, not \(length)")
    }
    let tokens = tokenizer.encode(text, addSpecial: true, parseSpecial: false)
      .map { UInt32($0) }
    guard tokens.count >= 2 * length else {
      throw UserError(
        "\(file) has \(tokens.count) tokens; two chunks of \(length) are the least: give a longer "
          + "text or a smaller --context")
    }
    if let stranger = tokens.first(where: { $0 >= manifest.shape.vocabulary }) {
      throw UserError("token \(stranger) is not in the vocabulary of \(manifest.shape.vocabulary)")
    }
    let beginning = tokenizer.definition.before.first
    return (0..<tokens.count / length).map { chunk in
      var part = Array(tokens[chunk * length..<(chunk + 1) * length])
      if let beginning { part[0] = UInt32(beginning) }
      return part
    }
  }
}
