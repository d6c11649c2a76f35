// A generation inside this process: one rank, or several with given shares.

import ArgumentParser
import Foundation
import ShoalGateway
import ShoalInference
import ShoalLedger
import ShoalNode
import ShoalPeer
import ShoalProtocol
import ShoalSystem

struct SoloRequest: Sendable {
  let prompt: PromptInput
  let options: GenerationOptions
  /// Shares of the ranks of each pipeline stage.
  let stages: [[Int]]
  let kernel: KernelPath
  let threads: Int
  let logitsPath: String?
}

struct SoloRun {
  let store: LocalStore
  let entry: ModelEntry
  let request: SoloRequest

  /// - Parameter show: called with each piece of the text; ends the run by throwing.
  func run(_ show: @escaping @Sendable (String) throws -> Void) async throws -> RunResult {
    let manifest = try store.library.manifest(entry.model)
    let tokenizer = try store.library.tokenizer(manifest)
    let prompt = try request.prompt.ids(tokenizer)
    let order = try GenerationOrder(
      prompt: prompt, options: request.options, manifest: manifest)
    let layers = manifest.shape.layers
    guard request.stages.count <= layers else {
      throw ValidationError(
        "\(entry.name) has \(layers) layers, too few for \(request.stages.count) stages")
    }
    let shares = RankShare.split(manifest.cut, stages: request.stages)
    let ranks = LocalRanks(
      manifest: manifest, shares: shares,
      threadsPerRank: max(1, request.threads / shares.count),
      kernels: Kernels(path: request.kernel), clock: SystemClock(), threads: SystemThreads())
    let log = SoloLog(start: SystemClock().now(), logitsPath: request.logitsPath)
    let chooser = try TokenChooser(
      options: request.options, tokenizer: tokenizer, prompt: prompt
    ) { token in
      try log.take(token)
      try show(token.text)
    }
    let library = store.library
    let finish = try await ranks.run(
      order, blob: { try library.atom($0) }, ready: { log.ready() },
      choose: { try chooser.choose($0, $1) })
    return result(prompt, chooser: chooser, finish: finish, log: log)
  }

  private func result(
    _ prompt: [UInt32], chooser: TokenChooser, finish: FinishReason, log: SoloLog
  ) -> RunResult {
    let weights = request.stages.flatMap(\.self)
    let total = Double(weights.reduce(0, +))
    return RunResult(
      job: "local", model: entry.name, manifest: entry.model.raw.hex, plan: "local",
      peers: weights.enumerated().map { rank, weight in
        .init(id: "rank \(rank)", share: Double(weight) / total)
      },
      promptTokens: prompt, tokens: chooser.tokens, text: chooser.text, finish: finish.rawValue,
      digest: chooser.digest.hex, timing: log.times.timing)
  }
}

/// What is noted of each token: when it came, and its logits if they are wanted.
/// Sendable for the reason that TokenChooser is.
private final class SoloLog: @unchecked Sendable {
  private(set) var times: TokenTimes
  private let logits: FileHandle?

  init(start: Moment, logitsPath: String?) {
    times = TokenTimes(start: start)
    logits = logitsPath.flatMap { path in
      _ = FileManager.default.createFile(atPath: path, contents: nil)
      return FileHandle(forWritingAtPath: path)
    }
  }

  func ready() { times.ready(at: SystemClock().now()) }

  func take(_ token: GeneratedToken) throws {
    times.token(at: SystemClock().now(), cost: token.cost)
    guard let logits else { return }
    var writer = ByteWriter(reserving: token.logits.count * 4)
    for logit in token.logits { writer.integer(logit.bitPattern) }
    try logits.write(contentsOf: Data(writer.bytes))
  }
}
