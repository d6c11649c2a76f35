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

/// The body of a text completion.
struct CompletionRequest: Decodable, Sendable {
  let options: CompletionOptions
  let prompt: CompletionPrompt

  private enum CodingKeys: CodingKey { case prompt }

  init(from decoder: any Decoder) throws {
    options = try CompletionOptions(from: decoder)
    prompt = try decoder.container(keyedBy: CodingKeys.self)
      .decode(CompletionPrompt.self, forKey: .prompt)
  }

  /// What OpenAI's reference states.
  static let defaultMaximumTokens = 16

  /// - Parameter anySeed: used where the client states none.
  func generationRequest(
    anySeed: @autoclosure () -> UInt64
  ) throws(RequestError) -> GenerationRequest {
    let prompt: GenerationRequest.Prompt =
      switch self.prompt {
      case .text(let text): .text(text)
      case .tokens(let ids): .tokens(ids)
      }
    return try options.generationRequest(
      prompt, defaultTokens: Self.defaultMaximumTokens, anySeed: anySeed())
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
