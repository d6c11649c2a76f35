// The bodies of `POST /v1/completions`, in the shape of OpenAI's API reference ("Completions").

import ShoalInference
import ShoalNode
import ShoalProtocol

/// Prompts as text or as token ids, one or several.
struct CompletionPrompts: Decodable, Sendable {
  let prompts: [GenerationRequest.Prompt]

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if let text = try? container.decode(String.self) {
      prompts = [.text(text)]
    } else if let tokens = try? container.decode([UInt32].self) {
      prompts = [.tokens(tokens)]
    } else if let texts = try? container.decode([String].self) {
      prompts = texts.map { .text($0) }
    } else if let lists = try? container.decode([[UInt32]].self) {
      prompts = lists.map { .tokens($0) }
    } else {
      throw RequestError.wrongType(
        field: "prompt", expected: "a string or a list of token ids, or a list of such")
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

/// The body of a text completion.
struct CompletionRequest: Decodable, Sendable {
  let options: CompletionOptions
  let prompts: [GenerationRequest.Prompt]

  private enum CodingKeys: CodingKey { case prompt }

  init(from decoder: any Decoder) throws {
    options = try CompletionOptions(from: decoder)
    prompts = try decoder.container(keyedBy: CodingKeys.self)
      .decode(CompletionPrompts.self, forKey: .prompt).prompts
  }

  /// What OpenAI's reference states.
  static let defaultMaximumTokens = 16

  /// `n` requests for each prompt, in order.
  ///
  /// - Parameter anySeed: used where the client states none.
  func generationRequests(
    anySeed: @autoclosure () -> UInt64
  ) throws(RequestError) -> [GenerationRequest] {
    let all = prompts.count.multipliedReportingOverflow(by: max(1, options.n ?? 1)).partialValue
    try RequestChecks.range("prompt", all, 1...RequestChecks.choices)
    let seed = anySeed()
    var requests: [GenerationRequest] = []
    for prompt in prompts {
      requests += try options.generationRequests(
        prompt, defaultTokens: Self.defaultMaximumTokens, anySeed: seed)
    }
    return requests
  }
}

/// Tokens that were read and made. Choices of one prompt share it.
struct Usage: Encodable, Sendable {
  struct PromptDetails: Encodable, Sendable {
    let cached_tokens: Int
  }

  let prompt_tokens: Int
  /// Those that were not computed for this request: choices of one prompt compute it once.
  let prompt_tokens_details: PromptDetails
  let completion_tokens: Int
  let total_tokens: Int

  init(_ results: [RunResult], prompts: Int = 1) {
    let each = max(1, results.count / max(1, prompts))
    let firsts = results.indices.filter { $0 % each == 0 }
    prompt_tokens = firsts.reduce(0) { $0 + results[$1].promptTokens.count }
    prompt_tokens_details = PromptDetails(
      cached_tokens: firsts.reduce(0) { $0 + (results[$1].cachedTokens ?? 0) })
    completion_tokens = results.reduce(0) { $0 + $1.tokens.count }
    total_tokens = prompt_tokens + completion_tokens
  }
}

/// The answer, and one event of a streamed answer.
struct Completion: Encodable, Sendable {
  struct Choice: Encodable, Sendable {
    let text: String
    let index: Int
    var logprobs: CompletionLogprobs?
    var finish_reason: String?
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
