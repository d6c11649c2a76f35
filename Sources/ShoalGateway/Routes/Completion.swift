// The bodies of `POST /v1/completions`, in the shape of OpenAI's API reference ("Completions").

import ShoalInference
import ShoalNode
import ShoalProtocol

/// A prompt as text or as token ids.
enum CompletionPrompt: Decodable, Sendable {
  case text(String)
  case tokens([UInt32])

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if let text = try? container.decode(String.self) {
      self = .text(text)
    } else if let tokens = try? container.decode([UInt32].self) {
      self = .tokens(tokens)
    } else {
      throw RequestError.wrongType(field: "prompt", expected: "a string or a list of token ids")
    }
  }
}

/// One stop string or several.
struct CompletionStop: Decodable, Sendable {
  let strings: [String]

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if let string = try? container.decode(String.self) {
      strings = [string]
    } else if let list = try? container.decode([String].self) {
      strings = list
    } else {
      throw RequestError.wrongType(field: "stop", expected: "a string or a list of strings")
    }
  }
}

struct CompletionRequest: Decodable, Sendable {
  struct StreamOptions: Decodable, Sendable {
    let include_usage: Bool?
  }

  let model: String
  let prompt: CompletionPrompt
  let max_tokens: Int?
  let temperature: Float?
  let top_p: Float?
  let top_k: Int?
  let min_p: Float?
  let seed: UInt64?
  let stop: CompletionStop?
  let stream: Bool?
  let stream_options: StreamOptions?
  /// Shoal's own: `latency`, `throughput` or `spread`.
  let objective: String?

  let n: Int?
  let best_of: Int?
  let echo: Bool?
  let logprobs: Int?
  let suffix: String?
  let presence_penalty: Float?
  let frequency_penalty: Float?

  /// What OpenAI's reference states.
  static let defaultMaximumTokens = 16
  static let defaultTemperature: Float = 1

  /// - Parameter anySeed: used where the client states none.
  func generationRequest(
    anySeed: @autoclosure () -> UInt64
  ) throws(RequestError) -> GenerationRequest {
    try refuseUnsupported()
    var sampling = SamplingOptions()
    sampling.temperature = temperature ?? Self.defaultTemperature
    sampling.topP = top_p ?? sampling.topP
    sampling.topK = top_k ?? sampling.topK
    sampling.minP = min_p ?? sampling.minP
    sampling.seed = seed ?? anySeed()
    try RequestChecks.sampling(sampling)
    let count = max_tokens ?? Self.defaultMaximumTokens
    try RequestChecks.range("max_tokens", count, 1...RequestChecks.maximumTokens)
    let stops = stop?.strings ?? []
    try RequestChecks.stops(stops)
    let prompt: GenerationRequest.Prompt =
      switch self.prompt {
      case .text(let text): .text(text)
      case .tokens(let ids): .tokens(ids)
      }
    return GenerationRequest(
      model: model, prompt: prompt,
      options: GenerationOptions(maximumTokens: count, sampling: sampling, stop: stops),
      objective: try RequestChecks.objective(objective))
  }

  /// A field that would change the answer is refused, not passed over.
  private func refuseUnsupported() throws(RequestError) {
    let checks: [(field: String, isAsked: Bool, hint: String)] = [
      ("n", (n ?? 1) != 1, "one completion is made for each request"),
      ("best_of", (best_of ?? 1) != 1, "one completion is made for each request"),
      ("echo", echo ?? false, "put the prompt before the text yourself"),
      ("logprobs", logprobs != nil, "leave it out"),
      ("suffix", !(suffix ?? "").isEmpty, "text is only continued"),
      ("presence_penalty", (presence_penalty ?? 0) != 0, "leave it out"),
      ("frequency_penalty", (frequency_penalty ?? 0) != 0, "leave it out"),
    ]
    for (field, isAsked, hint) in checks where isAsked {
      throw .unsupported(field: field, hint: hint)
    }
  }
}

/// The answer, and one event of a streamed answer.
struct Completion: Encodable, Sendable {
  struct Choice: Encodable, Sendable {
    let text: String
    let index = 0
    let finish_reason: String?

    private enum CodingKeys: CodingKey { case text, index, finish_reason }
  }

  struct Usage: Encodable, Sendable {
    let prompt_tokens: Int
    let completion_tokens: Int
    let total_tokens: Int

    init(_ result: RunResult) {
      prompt_tokens = result.promptTokens.count
      completion_tokens = result.tokens.count
      total_tokens = prompt_tokens + completion_tokens
    }
  }

  let id: String
  let object = "text_completion"
  /// Seconds since 1970.
  let created: UInt64
  let model: String
  let choices: [Choice]
  let usage: Usage?

  private enum CodingKeys: CodingKey { case id, object, created, model, choices, usage }
}
