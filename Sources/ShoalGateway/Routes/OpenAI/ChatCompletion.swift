// The bodies of `POST /v1/chat/completions`, in the shape of OpenAI's API reference ("Chat").

import Foundation
import ShoalInference
import ShoalNode

/// The body of a request.
struct ChatRequest: Decodable, Sendable {
  let options: CompletionOptions
  let messages: [ChatTurn]
  private let response_format: ResponseFormat?
  private let tool_choice: ToolChoice?
  /// Whether the body has members whose order counts.
  private let hasTools: Bool
  /// Each as OpenAI describes it.
  private(set) var tools: [JSONValue] = []
  private(set) var format = AnswerFormat.text

  private enum CodingKeys: CodingKey { case messages, response_format, tools, tool_choice }

  init(from decoder: any Decoder) throws {
    options = try CompletionOptions(from: decoder)
    let container = try decoder.container(keyedBy: CodingKeys.self)
    messages = try container.decode([ChatTurn].self, forKey: .messages)
    response_format = try container.decodeIfPresent(ResponseFormat.self, forKey: .response_format)
    tool_choice = try container.decodeIfPresent(ToolChoice.self, forKey: .tool_choice)
    hasTools = try container.decodeIfPresent([ToolOffer].self, forKey: .tools)?.isEmpty == false
  }

  init(_ data: Data) throws {
    self = try JSONBody.decode(ChatRequest.self, from: data)
    guard response_format != nil || hasTools else { return }
    let body = try JSONBody.ordered(data)
    format = try response_format?.format(body) ?? .text
    if hasTools, tool_choice?.mode != "none" { tools = body["tools"]?.elements ?? [] }
    guard tools.isEmpty || format == .text else {
      throw RequestError.unsupported(
        field: "response_format", hint: "an answer that may call tools has no other form")
    }
    if let tool_choice, !tools.isEmpty { try tool_choice.check() }
  }

  /// A chat ends when the model ends it, or here.
  static let defaultMaximumTokens = 1_024
  /// More turns than any context holds.
  static let maximumMessages = 4_096

  /// - Parameter anySeed: used where the client states none.
  func generationRequests(
    anySeed: @autoclosure () -> UInt64
  ) throws(RequestError) -> [GenerationRequest] {
    try RequestChecks.range("messages", messages.count, 1...Self.maximumMessages)
    var turns: [ChatMessage] = []
    for (index, message) in messages.enumerated() {
      turns.append(try message.message(index))
    }
    var requests = try options.generationRequests(
      .chat(turns), defaultTokens: Self.defaultMaximumTokens, format: format, anySeed: anySeed())
    for index in requests.indices { requests[index].tools = tools }
    return requests
  }
}

/// The answer, or one event of a streamed answer.
struct ChatCompletion: Encodable, Sendable {
  struct Call: Encodable, Sendable {
    struct Function: Encodable, Sendable {
      let name: String
      /// JSON, as text.
      let arguments: String
    }

    /// Only in streamed answers.
    var index: Int?
    let id: String
    let type = "function"
    let function: Function

    private enum CodingKeys: CodingKey { case index, id, type, function }
  }

  struct Message: Encodable, Sendable {
    var role: String?
    var content: String?
    var tool_calls: [Call]?
  }

  struct Choice: Encodable, Sendable {
    let index: Int
    var message: Message?
    var delta: Message?
    var logprobs: ChatLogprobs?
    var finish_reason: String?
  }

  let id: String
  /// `chat.completion` or `chat.completion.chunk`.
  let object: String
  /// Seconds since 1970.
  let created: UInt64
  let model: String
  let choices: [Choice]
  let usage: Usage?
}
