// The body of `POST /api/run`: everything a generation can be asked for, as JSON.

import ShoalInference
public import ShoalNode
import ShoalProtocol

/// A generation as a client states it. Every field but `model` and one of `prompt` and `tokens` has
/// a default.
public struct RunRequest: Codable, Sendable, Hashable {
  public struct Message: Codable, Sendable, Hashable {
    public let role: String
    public let content: String

    public init(role: String, content: String) {
      self.role = role
      self.content = content
    }
  }

  public var model: String
  public var prompt: String?
  /// The prompt as ids, instead of text.
  public var tokens: [UInt32]?
  /// A conversation, instead of text.
  public var messages: [Message]?
  /// A chat template in Jinja, instead of the model's own.
  public var template: String?
  public var maximumTokens: Int?
  public var temperature: Float?
  public var topK: Int?
  public var topP: Float?
  public var minP: Float?
  public var seed: UInt64?
  public var repetitionPenalty: Float?
  public var presencePenalty: Float?
  public var frequencyPenalty: Float?
  /// `text`, `json`, or a JSON schema as text.
  public var format: String?
  public var stop: [String]?
  /// `latency`, `throughput` or `spread`.
  public var objective: String?
  /// `whole` or `steps`: how the prompt is read.
  public var prefill: String?

  public static let defaultMaximumTokens = 128

  /// What a client sends for `request`.
  public init(_ request: GenerationRequest) {
    let sampling = request.options.sampling
    model = request.model
    switch request.prompt {
    case .text(let text): prompt = text
    case .tokens(let ids): tokens = ids
    case .chat(let turns): messages = turns.map { Message(role: $0.role, content: $0.content) }
    }
    maximumTokens = request.options.maximumTokens
    temperature = sampling.temperature
    topK = sampling.topK
    topP = sampling.topP
    minP = sampling.minP
    seed = sampling.seed
    if sampling.penalises {
      repetitionPenalty = sampling.repetitionPenalty
      presencePenalty = sampling.presencePenalty
      frequencyPenalty = sampling.frequencyPenalty
    }
    switch request.options.format {
    case .text: break
    case .json: format = "json"
    case .schema(let schema): format = schema
    }
    stop = request.options.stop
    objective = request.objective.name
    template = request.chatTemplate
    prefill = request.options.prefillsByStep ? "steps" : "whole"
  }

  /// What the node is asked for.
  func generationRequest() throws(RequestError) -> GenerationRequest {
    var sampling = SamplingOptions()
    sampling.temperature = temperature ?? sampling.temperature
    sampling.topK = topK ?? sampling.topK
    sampling.topP = topP ?? sampling.topP
    sampling.minP = minP ?? sampling.minP
    sampling.seed = seed ?? sampling.seed
    sampling.repetitionPenalty = repetitionPenalty ?? sampling.repetitionPenalty
    sampling.presencePenalty = presencePenalty ?? sampling.presencePenalty
    sampling.frequencyPenalty = frequencyPenalty ?? sampling.frequencyPenalty
    try RequestChecks.sampling(sampling)
    let count = maximumTokens ?? Self.defaultMaximumTokens
    try RequestChecks.range("maximumTokens", count, 0...RequestChecks.maximumTokens)
    try RequestChecks.stops(stop ?? [])
    var options = GenerationOptions(maximumTokens: count, sampling: sampling, stop: stop ?? [])
    options.format = try answerFormat()
    switch prefill {
    case nil, "whole": options.prefillsByStep = false
    case "steps": options.prefillsByStep = true
    case let other?: throw .notOneOf(field: "prefill", value: other, allowed: ["whole", "steps"])
    }
    var request = GenerationRequest(
      model: model, prompt: try generationPrompt(), options: options,
      objective: try RequestChecks.objective(objective))
    request.chatTemplate = template
    return request
  }

  private func answerFormat() throws(RequestError) -> AnswerFormat {
    switch format {
    case nil, "text"?: return .text
    case "json"?: return .json
    case let schema?:
      let value: JSONValue
      do { value = try JSONValue(parsing: Array(schema.utf8)) } catch {
        throw .wrongType(field: "format", expected: "text, json or a JSON schema: \(error)")
      }
      return try .schema(checked: value, field: "format")
    }
  }

  private func generationPrompt() throws(RequestError) -> GenerationRequest.Prompt {
    switch (prompt, tokens, messages) {
    case (let text?, nil, nil): .text(text)
    case (nil, let ids?, nil): .tokens(ids)
    case (nil, nil, let turns?):
      .chat(turns.map { ChatMessage(role: $0.role, content: $0.content) })
    case (nil, nil, nil): throw .missing(field: "prompt")
    case _: throw .unsupported(field: "tokens", hint: "give one of prompt, tokens and messages")
    }
  }
}
