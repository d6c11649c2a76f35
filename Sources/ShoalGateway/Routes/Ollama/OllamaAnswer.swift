// What Ollama's clients are answered (its API reference, `docs/api.md`): one object, or one on each
// line with the last one telling the figures.

import Foundation
import ShoalInference
import ShoalNode

struct OllamaAnswer: Encodable, Sendable {
  struct Message: Encodable, Sendable {
    let role = "assistant"
    let content: String
    var tool_calls: [Call]?

    private enum CodingKeys: CodingKey { case role, content, tool_calls }
  }

  struct Call: Encodable, Sendable {
    struct Function: Encodable, Sendable {
      let name: String
      let arguments: OrderedJSON
    }
    let function: Function
  }

  let model: String
  /// RFC 3339.
  let created_at: String
  /// Of `/api/generate`.
  var response: String?
  /// Of `/api/chat`.
  var message: Message?
  var done = false
  var done_reason: String?
  /// Nanoseconds.
  var total_duration: Int64?
  var load_duration: Int64?
  var prompt_eval_count: Int?
  var prompt_eval_duration: Int64?
  var eval_count: Int?
  var eval_duration: Int64?

  init(model: String, at unixMilliseconds: UInt64) {
    self.model = model
    let seconds = Double(unixMilliseconds) / 1_000
    created_at = Date(timeIntervalSince1970: seconds)
      .formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
  }

  mutating func end(_ result: RunResult) {
    let timing = result.timing
    let rate = timing.tokensPerSecond
    let later = rate > 0 ? Double(max(0, result.tokens.count - 1)) / rate : 0
    done = true
    done_reason = result.finish
    total_duration = Self.nanoseconds(timing.firstTokenSeconds + later)
    load_duration = Self.nanoseconds(max(0, timing.firstTokenSeconds - timing.promptSeconds))
    prompt_eval_count = result.promptTokens.count
    prompt_eval_duration = Self.nanoseconds(timing.promptSeconds)
    eval_count = result.tokens.count
    eval_duration = Self.nanoseconds(later)
  }

  private static func nanoseconds(_ seconds: Double) -> Int64 { Int64(seconds * 1e9) }
}

/// JSON whose members keep their order as far as an encoder lets them.
struct OrderedJSON: Encodable, Sendable {
  let value: JSONValue

  private struct Key: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  func encode(to encoder: any Encoder) throws {
    switch value {
    case .null:
      var container = encoder.singleValueContainer()
      try container.encodeNil()
    case .bool(let flag): try flag.encode(to: encoder)
    case .integer(let number): try number.encode(to: encoder)
    case .double(let number): try number.encode(to: encoder)
    case .string(let text): try text.encode(to: encoder)
    case .array(let elements): try elements.map { OrderedJSON(value: $0) }.encode(to: encoder)
    case .object(let object):
      var container = encoder.container(keyedBy: Key.self)
      for member in object.members {
        try container.encode(OrderedJSON(value: member.value), forKey: Key(stringValue: member.key))
      }
    }
  }
}
