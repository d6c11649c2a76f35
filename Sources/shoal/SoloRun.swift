// A generation inside this process: one rank, or several with given shares.

import Foundation
import ShoalGateway
import ShoalInference
import ShoalLedger
import ShoalNode
import ShoalProtocol
import ShoalSystem

struct SoloRequest: Sendable {
  let prompt: PromptInput
  let options: GenerationOptions
  /// Shares of the ranks.
  let weights: [Int]
  let kernel: KernelPath
  let threads: Int
  let logitsPath: String?
}

struct SoloRun {
  let store: LocalStore
  let entry: ModelEntry
  let request: SoloRequest

  /// Tokens of one step through the prompt.
  private static let batch = 256

  func run(_ show: @escaping @Sendable (String) -> Void) async throws -> RunResult {
    let manifest = try store.library.manifest(entry.model)
    let tokenizer = try store.library.tokenizer(manifest)
    let prompt = try request.prompt.ids(tokenizer)
    let order = try order(prompt, manifest)
    let ranks = LocalRanks(
      manifest: manifest, shares: RankShare.split(manifest.cut, weights: request.weights),
      threadsPerRank: max(1, request.threads / request.weights.count),
      kernels: Kernels(path: request.kernel), clock: SystemClock(), threads: SystemThreads())
    let log = SoloLog(logitsPath: request.logitsPath)
    let chooser = TokenChooser(
      options: request.options, tokenizer: tokenizer, promptCount: prompt.count
    ) { token in
      try log.take(token)
      show(token.text)
    }
    let library = store.library
    let start = SystemClock().now()
    let finish = try await ranks.run(
      order, blob: { try library.atom($0) }, choose: { try chooser.choose($0, $1) })
    return result(prompt, chooser: chooser, finish: finish, log: log, start: start)
  }

  private func order(_ prompt: [UInt32], _ manifest: ModelManifest) throws -> GenerationOrder {
    guard !prompt.isEmpty else { throw UserError("the prompt is empty: give a text or --tokens") }
    let vocabulary = manifest.shape.vocabulary
    if let bad = prompt.first(where: { $0 >= vocabulary }) {
      throw UserError("token \(bad) is not in the vocabulary of \(vocabulary)")
    }
    let limit = manifest.shape.context
    guard prompt.count < limit else {
      throw UserError("the prompt has \(prompt.count) tokens; the model's context is \(limit)")
    }
    return GenerationOrder(
      prompt: prompt, maximumTokens: request.options.maximumTokens,
      context: min(limit, prompt.count + request.options.maximumTokens),
      batch: request.options.prefillsByStep ? 1 : min(Self.batch, prompt.count),
      slices: request.options.wantsLogits,
      candidates: min(request.options.sampling.candidatesNeeded, Limits.candidates))
  }

  private func result(
    _ prompt: [UInt32], chooser: TokenChooser, finish: FinishReason, log: SoloLog, start: Moment
  ) -> RunResult {
    var times = TokenTimes(start: start)
    for moment in log.moments { times.token(at: moment) }
    let total = Double(request.weights.reduce(0, +))
    return RunResult(
      job: "local", model: entry.name, manifest: entry.model.raw.hex, plan: "local",
      peers: request.weights.enumerated().map { rank, weight in
        .init(id: "rank \(rank)", share: Double(weight) / total)
      },
      promptTokens: prompt, tokens: chooser.tokens, text: chooser.text, finish: finish.rawValue,
      digest: chooser.digest.hex, timing: times.timing)
  }
}

/// What is noted of each token: when it came, and its logits if they are wanted.
/// Sendable for the reason that TokenChooser is.
private final class SoloLog: @unchecked Sendable {
  private(set) var moments: [Moment] = []
  private let logits: FileHandle?

  init(logitsPath: String?) {
    logits = logitsPath.flatMap { path in
      _ = FileManager.default.createFile(atPath: path, contents: nil)
      return FileHandle(forWritingAtPath: path)
    }
  }

  func take(_ token: GeneratedToken) throws {
    moments.append(SystemClock().now())
    guard let logits else { return }
    var writer = ByteWriter(reserving: token.logits.count * 4)
    for logit in token.logits { writer.integer(logit.bitPattern) }
    try logits.write(contentsOf: Data(writer.bytes))
  }
}
