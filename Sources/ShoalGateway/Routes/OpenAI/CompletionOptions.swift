// What text and chat completions are asked for alike (OpenAI's API reference).

import Foundation
import ShoalInference
import ShoalNode
import ShoalProtocol

/// The fields beside the prompt.
struct CompletionOptions: Decodable, Sendable {
  struct StreamOptions: Decodable, Sendable {
    let include_usage: Bool?
  }

  let model: String
  let max_tokens: Int?
  /// The newer name in chats.
  let max_completion_tokens: Int?
  let temperature: Float?
  let top_p: Float?
  let top_k: Int?
  let min_p: Float?
  let seed: AnySeed?
  let stop: CompletionStop?
  let stream: Bool?
  let stream_options: StreamOptions?
  let presence_penalty: Float?
  let frequency_penalty: Float?
  let repetition_penalty: Float?
  /// By token, as text.
  let logit_bias: [String: Float]?
  let n: Int?
  /// Whose request it is: users take turns.
  let user: String?
  /// Shoal's own: `latency`, `throughput` or `spread`.
  let objective: String?

  let best_of: Int?
  let echo: Bool?
  let logprobs: AskedLogprobs?
  let top_logprobs: Int?
  let suffix: String?

  /// What OpenAI's reference states.
  static let defaultTemperature: Float = 1

  var streams: Bool { stream ?? false }
  var includesUsage: Bool { stream_options?.include_usage ?? false }

  /// The request, once for each choice that is to be made: their seeds follow each other.
  ///
  /// - Parameter anySeed: used where the client states none.
  func generationRequests(
    _ prompt: GenerationRequest.Prompt, defaultTokens: Int, format: AnswerFormat = .text,
    anySeed: @autoclosure () -> UInt64
  ) throws(RequestError) -> [GenerationRequest] {
    try refuseUnsupported()
    let choices = n ?? 1
    try RequestChecks.range("n", choices, 1...RequestChecks.choices)
    var options = GenerationOptions(
      maximumTokens: try tokens(defaultTokens), sampling: try sampling(seed?.value ?? anySeed()),
      stop: stop?.strings ?? [])
    try RequestChecks.stops(options.stop)
    options.mustFit = max_tokens != nil || max_completion_tokens != nil
    options.topLogprobs = try askedLogprobs()
    options.bias = try bias()
    options.format = format
    let objective = try RequestChecks.objective(objective)
    let first = options.sampling.seed
    return (0..<choices).map { choice in
      options.sampling.seed = first &+ UInt64(choice)
      return GenerationRequest(
        model: model, prompt: prompt, options: options, objective: objective)
    }
  }

  private func tokens(_ defaultTokens: Int) throws(RequestError) -> Int {
    let count = max_completion_tokens ?? max_tokens ?? defaultTokens
    let field = max_completion_tokens == nil ? "max_tokens" : "max_completion_tokens"
    try RequestChecks.range(field, count, 1...RequestChecks.maximumTokens)
    return count
  }

  private func sampling(_ seed: UInt64) throws(RequestError) -> SamplingOptions {
    var sampling = SamplingOptions()
    sampling.temperature = temperature ?? Self.defaultTemperature
    sampling.topP = top_p ?? sampling.topP
    sampling.topK = top_k ?? sampling.topK
    sampling.minP = min_p ?? sampling.minP
    sampling.seed = seed
    sampling.repetitionPenalty = repetition_penalty ?? sampling.repetitionPenalty
    sampling.presencePenalty = presence_penalty ?? sampling.presencePenalty
    sampling.frequencyPenalty = frequency_penalty ?? sampling.frequencyPenalty
    try RequestChecks.sampling(sampling)
    return sampling
  }

  private func askedLogprobs() throws(RequestError) -> Int? {
    let count: Int
    switch (logprobs, top_logprobs) {
    case (nil, nil), (.flag(false)?, nil): return nil
    case (nil, _?), (.flag(false)?, _?):
      throw .unsupported(field: "top_logprobs", hint: "set `logprobs` to true as well")
    case (.flag(true)?, let top): count = top ?? 0
    case (.count(let top)?, _): count = top
    }
    let field = top_logprobs == nil ? "logprobs" : "top_logprobs"
    try RequestChecks.range(field, count, 0...RequestChecks.topLogprobs)
    return count
  }

  private func bias() throws(RequestError) -> [TokenBias] {
    guard let logit_bias, !logit_bias.isEmpty else { return [] }
    try RequestChecks.range("logit_bias", logit_bias.count, 0...GenerationOptions.biasLimit)
    var bias: [TokenBias] = []
    for (text, amount) in logit_bias {
      guard let token = UInt32(text) else {
        throw .wrongType(field: "logit_bias", expected: "an object of token ids and numbers")
      }
      try RequestChecks.range("logit_bias.\(token)", amount, -100...100)
      bias.append(TokenBias(token: token, amount: amount))
    }
    return bias.sorted { $0.token < $1.token }
  }

  /// A field that would change the answer is refused, not passed over.
  private func refuseUnsupported() throws(RequestError) {
    let checks: [(field: String, isAsked: Bool, hint: String)] = [
      ("best_of", (best_of ?? 1) != 1, "every completion that is made is answered"),
      ("echo", echo ?? false, "put the prompt before the text yourself"),
      ("suffix", !(suffix ?? "").isEmpty, "text is only continued"),
    ]
    for (field, isAsked, hint) in checks where isAsked {
      throw .unsupported(field: field, hint: hint)
    }
  }
}

/// A whole number of 64 bits, with a sign or without.
struct AnySeed: Decodable, Sendable {
  let value: UInt64

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if let number = try? container.decode(UInt64.self) {
      value = number
    } else {
      value = UInt64(bitPattern: try container.decode(Int64.self))
    }
  }
}

/// A number in text completions, a flag in chats.
enum AskedLogprobs: Decodable, Sendable {
  case flag(Bool)
  case count(Int)

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if let flag = try? container.decode(Bool.self) {
      self = .flag(flag)
    } else {
      self = .count(try container.decode(Int.self))
    }
  }
}
