// What text and chat completions are asked for alike (OpenAI's API reference).

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
  let seed: UInt64?
  let stop: CompletionStop?
  let stream: Bool?
  let stream_options: StreamOptions?
  /// Shoal's own: `latency`, `throughput` or `spread`.
  let objective: String?

  let n: Int?
  let best_of: Int?
  let echo: Bool?
  let logprobs: AskedLogprobs?
  let suffix: String?
  let presence_penalty: Float?
  let frequency_penalty: Float?

  /// What OpenAI's reference states.
  static let defaultTemperature: Float = 1

  var streams: Bool { stream ?? false }
  var includesUsage: Bool { stream_options?.include_usage ?? false }

  /// - Parameter anySeed: used where the client states none.
  func generationRequest(
    _ prompt: GenerationRequest.Prompt, defaultTokens: Int, anySeed: @autoclosure () -> UInt64
  ) throws(RequestError) -> GenerationRequest {
    try refuseUnsupported()
    var sampling = SamplingOptions()
    sampling.temperature = temperature ?? Self.defaultTemperature
    sampling.topP = top_p ?? sampling.topP
    sampling.topK = top_k ?? sampling.topK
    sampling.minP = min_p ?? sampling.minP
    sampling.seed = seed ?? anySeed()
    try RequestChecks.sampling(sampling)
    let count = max_completion_tokens ?? max_tokens ?? defaultTokens
    let field = max_completion_tokens == nil ? "max_tokens" : "max_completion_tokens"
    try RequestChecks.range(field, count, 1...RequestChecks.maximumTokens)
    let stops = stop?.strings ?? []
    try RequestChecks.stops(stops)
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
      ("logprobs", logprobs?.isAsked ?? false, "leave it out"),
      ("suffix", !(suffix ?? "").isEmpty, "text is only continued"),
      ("presence_penalty", (presence_penalty ?? 0) != 0, "leave it out"),
      ("frequency_penalty", (frequency_penalty ?? 0) != 0, "leave it out"),
    ]
    for (field, isAsked, hint) in checks where isAsked {
      throw .unsupported(field: field, hint: hint)
    }
  }
}

/// A number in text completions, a flag in chats.
struct AskedLogprobs: Decodable, Sendable {
  let isAsked: Bool

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    isAsked = (try? container.decode(Bool.self)) ?? true
  }
}
