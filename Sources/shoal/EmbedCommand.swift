// `shoal embed MODEL TEXT...`: a vector for each text, by this machine alone or through the peer
// that runs here.

import ArgumentParser
import Foundation
import ShoalGateway
import ShoalInference
import ShoalLedger
import ShoalNode
import ShoalPeer
import ShoalProtocol
import ShoalSystem

struct EmbedCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "embed", abstract: "Makes vectors of texts with an encoder.",
    discussion: """
      Without texts, each line of the standard input is one. A line of the output is the vector \
      of one text, as a JSON array.
      """)

  @Argument(help: "A name in the store, or a model file.") var model: String
  @Argument(help: "Texts; none: the lines of the standard input.") var texts: [String] = []
  @Option(help: "mean, first (or cls) or last (default: as the model states).")
  var pooling: String?
  @Flag(
    inversion: .prefixedNo, help: "Divide vectors by their length (default: as the model states).")
  var normalize: Bool?
  @Flag(help: "Refuse a text that is longer than the model reads, instead of cutting it.")
  var noTruncate = false
  @Option(help: "Run as that many ranks in this process, with these shares: 5:2:1, or 5:2/1.")
  var split: String?
  @Flag(help: "In this process, whatever peer may be running.") var solo = false
  @Option(help: "Force a kernel path: avx512, avx2, neon or reference.") var kernel: String?
  @Option(help: "Threads (default: one for each core).") var threads: Int?
  @Flag(help: "Print facts as JSON when done.") var json = false
  @Option(help: "What the plan is to be good at: latency, throughput or spread.")
  var objective = PlanObjective.latency
  @OptionGroup var peer: RunningPeer

  func run() async throws {
    let request = EmbeddingRequest(
      model: model, texts: try input().map { .text($0) }, pooling: try poolingKind(),
      isNormalised: normalize, truncates: !noTruncate, objective: objective)
    let isLocal = solo || split != nil || kernel != nil || threads != nil
    let facts: EmbedFacts
    if !isLocal, let client = try await peer.client() {
      facts = try await EmbedBatches(client: client).run(request)
    } else {
      facts = try await runHere(request)
    }
    if json { return try JSONOutput.print(facts) }
    for vector in facts.embeddings { try JSONOutput.print(vector) }
    Terminal.printError(Terminal.dim(summary(facts)))
  }

  private func input() throws -> [String] {
    if !texts.isEmpty { return texts }
    guard isatty(STDIN_FILENO) == 0 else {
      throw ValidationError("give texts, or pipe lines in")
    }
    var lines: [String] = []
    while let line = readLine() { lines.append(line) }
    guard !lines.isEmpty else { throw ValidationError("the standard input has no lines") }
    return lines
  }

  private func poolingKind() throws -> Pooling? {
    guard let pooling else { return nil }
    if pooling == "cls" { return .first }
    guard let kind = Pooling.allCases.first(where: { $0.name == pooling }) else {
      throw ValidationError("--pooling is mean, first (or cls) or last, not \(pooling)")
    }
    return kind
  }

  private func runHere(_ request: EmbeddingRequest) async throws -> EmbedFacts {
    let store = try peer.data.open()
    let bar = ProgressBar("importing")
    let entry = try store.resolve(model) { bar.show($0, $1) }
    bar.finish()
    let manifest = try store.library.manifest(entry.model)
    let stages = try Split(split).stages
    guard stages.count <= manifest.shape.layers else {
      throw ValidationError(
        "\(entry.name) has \(manifest.shape.layers) layers, too few for \(stages.count) stages")
    }
    let weights = stages.flatMap(\.self)
    let texts = try EmbeddingTexts(
      request, manifest: manifest, tokenizer: store.library.tokenizer(manifest))
    let threads = threads ?? ProcessInfo.processInfo.activeProcessorCount
    let ranks = LocalRanks(
      manifest: manifest, shares: RankShare.split(manifest.cut, stages: stages),
      threadsPerRank: max(1, threads / weights.count),
      kernels: Kernels(path: try KernelPath.named(kernel)), clock: SystemClock(),
      threads: SystemThreads())
    let library = store.library
    let start = SystemClock().now()
    let vectors = try await ranks.embed(texts.order) { try library.atom($0) }
    let total = Double(weights.reduce(0, +))
    return EmbedFacts(
      EmbeddingOutcome(vectors, of: texts, plan: PlanID(.zero), members: [], terms: 1),
      model: entry.name, manifest: entry.model.raw.hex, plan: "local",
      peers: weights.enumerated().map { .init(id: "rank \($0)", share: Double($1) / total) },
      took: SystemClock().now() - start)
  }

  private func summary(_ facts: EmbedFacts) -> String {
    let shares = facts.peers.map {
      "\($0.id.prefix(8)) \(String(format: "%.1f", $0.share * 100))%"
    }
    let cut = facts.truncated.isEmpty ? "" : ", \(facts.truncated.count) cut to the model's length"
    return "\(facts.embeddings.count) texts of \(facts.prompt_eval_count) tokens\(cut), "
      + "\(facts.embeddings.first?.count ?? 0) dimensions, by \(shares.joined(separator: ", ")), "
      + "digest \(facts.digest.prefix(16))"
  }
}
