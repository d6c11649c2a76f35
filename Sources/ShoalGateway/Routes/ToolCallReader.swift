// Finds the calls of tools in an answer. Every family writes them differently; the common forms:
//
//     <tool_call>{"name": ..., "arguments": ...}</tool_call>      Hermes, Qwen
//     [TOOL_CALLS][{"name": ..., "arguments": ...}, ...]          Mistral
//     <|python_tag|>{"name": ..., "parameters": ...}              Llama 3
//     <function=NAME>{...}</function>                             Llama 3
//
// The signs of the second and third are control tokens, which are not shown; so an answer that is
// nothing but such an object, or a list of them, is read as calls too, if it names known tools.

import ShoalInference

struct ToolCallReader: Sendable {
  struct Call: Sendable, Hashable {
    let name: String
    let arguments: JSONValue
  }

  private static let signs = [
    "<tool_call>", "<|tool_call|>", "[TOOL_CALLS]", "<|python_tag|>", "<function=",
  ]

  private let names: Set<String>
  /// What may be the beginning of calls, or is.
  private var held = ""
  private var hasShown = false
  private var isHolding = false

  /// - Parameter names: of the tools that were offered. Without any, all text is shown.
  init(names: Set<String>) { self.names = names }

  /// The text that is certainly no call.
  mutating func append(_ piece: String) -> String {
    if names.isEmpty { return piece }
    held += piece
    if isHolding { return "" }
    if !hasShown {
      guard let first = held.first(where: { !$0.isWhitespace }) else { return "" }
      if first == "{" || first == "[" {
        isHolding = true
        return ""
      }
    }
    let cut = Self.beginning(in: held)
    isHolding = cut.isSign
    let shown = String(held[..<cut.index])
    held = String(held[cut.index...])
    if !shown.isEmpty { hasShown = true }
    return shown
  }

  /// What is left when the answer has ended: text that was held for nothing, and the calls.
  mutating func finish() -> (text: String, calls: [Call]) {
    defer { held = "" }
    guard isHolding, let calls = calls(in: held), !calls.isEmpty else { return (held, []) }
    return ("", calls)
  }

  /// Where the first sign begins, or what may still become one.
  private static func beginning(in text: String) -> (index: String.Index, isSign: Bool) {
    var index = text.startIndex
    while index < text.endIndex {
      let rest = text[index...]
      if signs.contains(where: { rest.hasPrefix($0) }) { return (index, true) }
      if signs.contains(where: { $0.hasPrefix(rest) }) { return (index, false) }
      index = text.index(after: index)
    }
    return (index, false)
  }

  // MARK: Reading

  /// Nil where the text is something else.
  private func calls(in text: String) -> [Call]? {
    var rest = text[...]
    var calls: [Call] = []
    while true {
      rest = rest.drop { $0.isWhitespace || $0 == ";" || $0 == "," }
      if rest.isEmpty { return calls }
      if let sign = [
        "<tool_call>", "</tool_call>", "<|tool_call|>", "[TOOL_CALLS]",
        "<|python_tag|>", "</function>",
      ].first(where: { rest.hasPrefix($0) }) {
        rest = rest.dropFirst(sign.count)
        continue
      }
      var name: String?
      if rest.hasPrefix("<function="), let end = rest.firstIndex(of: ">") {
        name = String(rest[rest.index(rest.startIndex, offsetBy: 10)..<end])
        rest = rest[rest.index(after: end)...]
      }
      guard let (value, end) = Self.value(in: rest), let found = read(value, name) else {
        return calls.isEmpty ? nil : calls
      }
      calls += found
      rest = rest[end...]
    }
  }

  private func read(_ value: JSONValue, _ name: String?) -> [Call]? {
    if let name { return names.contains(name) ? [Call(name: name, arguments: value)] : nil }
    switch value {
    case .array(let values):
      var calls: [Call] = []
      for value in values {
        guard let found = read(value, nil) else { return nil }
        calls += found
      }
      return calls
    case .object(let object):
      guard case .string(let name)? = object["name"], names.contains(name),
        var arguments = object["arguments"] ?? object["parameters"]
      else { return nil }
      // Some write the arguments as text once more.
      if case .string(let text) = arguments {
        guard let inner = try? JSONValue(parsing: Array(text.utf8)) else { return nil }
        arguments = inner
      }
      return [Call(name: name, arguments: arguments)]
    case .null, .bool, .integer, .double, .string: return nil
    }
  }

  /// The JSON object or list that `text` begins with, and where it ends.
  private static func value(in text: Substring) -> (JSONValue, String.Index)? {
    var (depth, isInString, isEscaped) = (0, false, false)
    for index in text.utf8.indices {
      let byte = text.utf8[index]
      switch (isInString, isEscaped, byte) {
      case (true, true, _): isEscaped = false
      case (true, false, UInt8(ascii: "\\")): isEscaped = true
      case (_, false, UInt8(ascii: "\"")): isInString.toggle()
      case (false, _, UInt8(ascii: "{")), (false, _, UInt8(ascii: "[")): depth += 1
      case (false, _, UInt8(ascii: "}")), (false, _, UInt8(ascii: "]")):
        depth -= 1
        if depth == 0 {
          let end = text.utf8.index(after: index)
          let bytes = Array(text[..<end].utf8)
          return (try? JSONValue(parsing: bytes)).map { ($0, end) }
        }
      case _: break
      }
      if depth == 0 { return nil }
    }
    return nil
  }
}
