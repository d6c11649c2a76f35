// `shoal run MODEL PROMPT`: generates text, on this machine alone or through the peer that runs
// here.

import ArgumentParser
import Foundation
import ShoalGateway
import ShoalInference
import ShoalLedger
import ShoalNode
import ShoalPeer
import ShoalProtocol
import ShoalSystem

struct RunCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Generates text with a model.")

  @Argument(help: "A name in the store, or a GGUF file or directory.") var model: String
  @Argument(help: "What to continue.") var prompt: String?
  @OptionGroup var generation: GenerationFlags
  @Option(help: "The prompt as token ids, such as 1,403,407.") var tokens: String?
  @Option(help: "Write every step's logits to this file: f32, (steps, vocabulary).")
  var logits: String?
  @Option(
    help: "Run as that many ranks in this process, with these shares, such as 5:2:1, or 5:2/1:1.")
  var split: String?
  @Flag(help: "In this process, whatever peer may be running.") var solo = false
  @Option(help: "Force a kernel path: avx512, avx2, neon or reference.") var kernel: String?
  @Option(help: "Threads (default: one for each core).") var threads: Int?
  @Option(help: "whole or steps: how the prompt is read.") var prefill = "whole"
  @Flag(help: "Print facts as JSON when done.") var json = false
  @OptionGroup var data: DataDirectory

  @Option(help: "What the plan is to be good at: latency, throughput or spread.")
  var objective = PlanObjective.latency
  @Option(help: "Also write the facts of --json to this file.") var facts: String?
  @Option(name: .customLong("peer"), help: "The API of a peer, such as 127.0.0.1:7434.")
  var peerAddress: String?

  func run() async throws {
    let result: RunResult
    if let client = try await client() {
      let isQuiet = json
      result = try await MeshRun(client: client, show: { if !isQuiet { Terminal.write($0) } })
        .run(meshRequest())
    } else {
      result = try await runHere()
    }
    if let facts {
      try JSONOutput.text(result).write(toFile: facts, atomically: true, encoding: .utf8)
    }
    if json { return try JSONOutput.print(result) }
    Terminal.write("\n")
    Terminal.printError(Terminal.dim(RunSummary(result).text))
  }

  /// The running peer, unless what is asked for can only be done in this process.
  private func client() async throws -> GatewayClient? {
    let isLocal = solo || split != nil || kernel != nil || logits != nil || threads != nil
    if isLocal { return nil }
    var peer = RunningPeer()
    peer.address = peerAddress
    peer.data = data
    return try await peer.client()
  }

  private func meshRequest() throws -> RunRequest {
    let prompt: GenerationRequest.Prompt =
      switch try promptInput() {
      case .text(let text): .text(text)
      case .tokens(let tokens): .tokens(tokens)
      }
    return RunRequest(
      GenerationRequest(model: model, prompt: prompt, options: try options(), objective: objective))
  }

  private func runHere() async throws -> RunResult {
    let store = try data.open()
    let bar = ProgressBar("importing")
    let entry = try store.resolve(model) { bar.show($0, $1) }
    bar.finish()
    let request = try SoloRequest(
      prompt: promptInput(), options: options(), stages: Split(split).stages,
      kernel: KernelPath.named(kernel),
      threads: threads ?? ProcessInfo.processInfo.activeProcessorCount,
      logitsPath: logits)
    let isQuiet = json
    return try await SoloRun(store: store, entry: entry, request: request).run { text in
      if !isQuiet { Terminal.write(text) }
    }
  }

  private func options() throws -> GenerationOptions {
    var options = try generation.options()
    guard prefill == "whole" || prefill == "steps" else {
      throw ValidationError("--prefill is whole or steps, not \(prefill)")
    }
    options.prefillsByStep = prefill == "steps"
    options.wantsLogits = logits != nil
    return options
  }

  private func promptInput() throws -> PromptInput {
    if let tokens {
      let ids = tokens.split(separator: ",").map { UInt32($0.trimmingCharacters(in: .whitespaces)) }
      guard !ids.isEmpty, !ids.contains(nil) else {
        throw ValidationError("--tokens is a list of ids, such as 1,403,407, not \(tokens)")
      }
      return .tokens(ids.compactMap(\.self))
    }
    return .text(prompt ?? "")
  }
}

/// A prompt as text or as ids.
enum PromptInput: Sendable {
  case text(String)
  case tokens([UInt32])

  func ids(_ tokenizer: Tokenizer) throws -> [UInt32] {
    switch self {
    case .text(let text):
      return tokenizer.encode(text, addSpecial: true, parseSpecial: false).map { UInt32($0) }
    case .tokens(let ids): return ids
    }
  }
}
