// One message of a chat as OpenAI's clients send it, and as a model's template reads it.

import Foundation
import ShoalInference
import ShoalNode

struct ChatTurn: Decodable, Sendable {
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

  struct Call: Decodable, Sendable {
    struct Function: Decodable, Sendable {
      let name: String
      /// JSON, as text.
      let arguments: String
    }

    let id: String?
    let function: Function
  }

  let role: String
  let content: Content?
  let name: String?
  let tool_call_id: String?
  let tool_calls: [Call]?

  /// - Parameter index: of the message, for errors.
  func message(_ index: Int) throws(RequestError) -> ChatMessage {
    var others: [(key: String, value: JSONValue)] = []
    if let name { others.append(("name", .string(name))) }
    if let tool_call_id { others.append(("tool_call_id", .string(tool_call_id))) }
    if let tool_calls, !tool_calls.isEmpty {
      var calls: [JSONValue] = []
      for (call, one) in tool_calls.enumerated() {
        calls.append(try one.value("messages[\(index)].tool_calls[\(call)].function.arguments"))
      }
      others.append(("tool_calls", .array(calls)))
    }
    return ChatMessage(role: role, content: try text(index), others: JSONObject(others))
  }

  private func text(_ index: Int) throws(RequestError) -> String {
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

extension ChatTurn.Call {
  /// As templates read it: the arguments as an object.
  fileprivate func value(_ field: String) throws(RequestError) -> JSONValue {
    let arguments: JSONValue
    do {
      arguments = try JSONValue(parsing: Array(function.arguments.utf8))
    } catch {
      throw .wrongType(field: field, expected: "JSON as a string: \(error)")
    }
    return .call(name: function.name, arguments: arguments, id: id)
  }
}

extension JSONValue {
  /// A call of a tool, in the shape that the hub's templates read.
  static func call(name: String, arguments: JSONValue, id: String?) -> JSONValue {
    let function = JSONObject([("name", .string(name)), ("arguments", arguments)])
    var members: [(key: String, value: JSONValue)] = [
      ("type", .string("function")), ("function", .object(function)),
    ]
    if let id { members.append(("id", .string(id))) }
    return .object(JSONObject(members))
  }
}

/// A tool as a client offers it; the whole of it goes to the template as it came.
struct ToolOffer: Decodable, Sendable {
  struct Function: Decodable, Sendable {
    let name: String
  }

  let type: String?
  let function: Function
}

/// `none`, `auto`, or what answers cannot be held to yet.
struct ToolChoice: Decodable, Sendable {
  /// Nil: a certain function.
  let mode: String?

  init(from decoder: any Decoder) throws {
    mode = try? decoder.singleValueContainer().decode(String.self)
  }

  func check() throws(RequestError) {
    guard mode == "auto" else {
      throw .unsupported(field: "tool_choice", hint: "`auto` and `none` are kept, no others")
    }
  }
}
