// The bodies of `POST /v1/chat/completions`, in the shape of OpenAI's API reference ("Chat").

import ShoalNode

/// The body of a request.
struct ChatRequest: Decodable, Sendable {
  struct Message: Decodable, Sendable {
    let role: String
    let content: Content?
  }

  /// A string, or parts of which each is text.
  enum Content: Decodable, Sendable {
    case text(String)
    case parts([Part])

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if let text = try? container.decode(String.self) {
        self = .text(text)
      } else {
        self = .parts(try container.decode([Part].self))
      }
    }
  }

  struct Part: Decodable, Sendable {
    let type: String
    let text: String?
  }

  /// Whatever it holds: only whether it is there counts.
  struct Anything: Decodable, Sendable {
    init(from decoder: any Decoder) {}
  }

  struct ResponseFormat: Decodable, Sendable {
    let type: String
  }

  let options: CompletionOptions
  let messages: [Message]
  let tools: [Anything]?
  let response_format: ResponseFormat?

  private enum CodingKeys: CodingKey { case messages, tools, response_format }

  init(from decoder: any Decoder) throws {
    options = try CompletionOptions(from: decoder)
    let container = try decoder.container(keyedBy: CodingKeys.self)
    messages = try container.decode([Message].self, forKey: .messages)
    tools = try container.decodeIfPresent([Anything].self, forKey: .tools)
    response_format = try container.decodeIfPresent(ResponseFormat.self, forKey: .response_format)
  }

  /// A chat ends when the model ends it, or here.
  static let defaultMaximumTokens = 1_024
  /// More turns than any context holds.
  static let maximumMessages = 4_096

  /// - Parameter anySeed: used where the client states none.
  func generationRequest(
    anySeed: @autoclosure () -> UInt64
  ) throws(RequestError) -> GenerationRequest {
    guard (tools ?? []).isEmpty else {
      throw .unsupported(field: "tools", hint: "leave it out")
    }
    guard (response_format?.type ?? "text") == "text" else {
      throw .unsupported(field: "response_format", hint: "leave it out, or ask for text")
    }
    try RequestChecks.range("messages", messages.count, 1...Self.maximumMessages)
    var turns: [ChatMessage] = []
    for (index, message) in messages.enumerated() {
      turns.append(ChatMessage(role: message.role, content: try message.text(index)))
    }
    return try options.generationRequest(
      .chat(turns), defaultTokens: Self.defaultMaximumTokens, anySeed: anySeed())
  }
}

extension ChatRequest.Message {
  fileprivate func text(_ index: Int) throws(RequestError) -> String {
    switch content {
    case nil: return ""
    case .text(let text)?: return text
    case .parts(let parts)?:
      guard parts.allSatisfy({ $0.type == "text" && $0.text != nil }) else {
        throw .unsupported(
          field: "messages[\(index)].content", hint: "parts of type text are read, no others")
      }
      return parts.compactMap(\.text).joined()
    }
  }
}

/// The answer, or one event of a streamed answer.
struct ChatCompletion: Encodable, Sendable {
  struct Message: Encodable, Sendable {
    var role: String?
    var content: String?
  }

  struct Choice: Encodable, Sendable {
    let index = 0
    var message: Message?
    var delta: Message?
    let finish_reason: String?

    private enum CodingKeys: CodingKey { case index, message, delta, finish_reason }
  }

  let id: String
  /// `chat.completion` or `chat.completion.chunk`.
  let object: String
  /// Seconds since 1970.
  let created: UInt64
  let model: String
  let choices: [Choice]
  let usage: Completion.Usage?
}
