// What expressions come to: Python's values, as far as templates see them.

indirect enum TemplateValue {
  /// What is not there, and what it would have been called.
  case undefined(String)
  case none
  case bool(Bool)
  case integer(Int)
  case double(Double)
  case string(String)
  case list([TemplateValue])
  case dictionary(TemplateDictionary)
  case namespace(TemplateNamespace)
  case loop(TemplateLoopState)
  case macro(TemplateMacro)
  case function(String)
  /// A value's method, not yet called.
  case method(TemplateValue, String)
}

/// Keys in the order of their coming.
struct TemplateDictionary {
  private(set) var members: [(key: TemplateValue, value: TemplateValue)] = []
  private var positions: [ExactText: Int] = [:]

  subscript(key: TemplateValue) -> TemplateValue? {
    get { positions[Self.index(key)].map { members[$0].value } }
    set {
      guard let newValue else { return }
      let index = Self.index(key)
      if let position = positions[index] {
        members[position].value = newValue
      } else {
        positions[index] = members.count
        members.append((key, newValue))
      }
    }
  }

  subscript(name: String) -> TemplateValue? {
    get { self[.string(name)] }
    set { self[.string(name)] = newValue }
  }

  /// Equal keys have equal texts: a number's own, a string's behind a mark.
  private static func index(_ key: TemplateValue) -> ExactText {
    if case .string(let text) = key { return ExactText("'" + text) }
    return ExactText(key.numeric.map { "\($0)" } ?? key.printed)
  }
}

/// `namespace(...)`: the one value that a template can change.
final class TemplateNamespace {
  var members = TemplateDictionary()
}

/// `loop` inside a `for`.
final class TemplateLoopState {
  let items: [TemplateValue]
  var index = 0

  init(items: [TemplateValue]) { self.items = items }

  func attribute(_ name: String) -> TemplateValue? {
    switch name {
    case "index": .integer(index + 1)
    case "index0": .integer(index)
    case "revindex": .integer(items.count - index)
    case "revindex0": .integer(items.count - index - 1)
    case "first": .bool(index == 0)
    case "last": .bool(index == items.count - 1)
    case "length": .integer(items.count)
    // Jinja counts recursive loops only, which are outside the subset.
    case "depth": .integer(1)
    case "depth0": .integer(0)
    case "previtem": index > 0 ? items[index - 1] : .undefined("loop.previtem")
    case "nextitem": index + 1 < items.count ? items[index + 1] : .undefined("loop.nextitem")
    case _: nil
    }
  }
}

extension TemplateValue {
  init(_ json: JSONValue) {
    switch json {
    case .null: self = .none
    case .bool(let flag): self = .bool(flag)
    case .integer(let number): self = .integer(Int(number))
    case .double(let number): self = .double(number)
    case .string(let text): self = .string(text)
    case .array(let elements): self = .list(elements.map { TemplateValue($0) })
    case .object(let object):
      var dictionary = TemplateDictionary()
      for member in object.members { dictionary[member.key] = TemplateValue(member.value) }
      self = .dictionary(dictionary)
    }
  }

  var isUndefined: Bool {
    if case .undefined = self { return true }
    return false
  }

  /// What an error calls it.
  var kind: String {
    switch self {
    case .undefined(let name): "\(name), which is not defined"
    case .none: "none"
    case .bool: "a boolean"
    case .integer, .double: "a number"
    case .string: "a string"
    case .list: "a list"
    case .dictionary: "a mapping"
    case .namespace: "a namespace"
    case .loop: "the loop"
    case .macro, .function, .method: "a function"
    }
  }

  var isTrue: Bool {
    switch self {
    case .undefined, .none: false
    case .bool(let flag): flag
    case .integer(let number): number != 0
    case .double(let number): number != 0
    case .string(let text): !text.isEmpty
    case .list(let elements): !elements.isEmpty
    case .dictionary(let dictionary): !dictionary.members.isEmpty
    case .namespace, .loop, .macro, .function, .method: true
    }
  }

  /// A number's value; booleans are 0 and 1, as in Python.
  var numeric: Double? {
    switch self {
    case .bool(let flag): flag ? 1 : 0
    case .integer(let number): Double(number)
    case .double(let number): number
    case .undefined, .none, .string, .list, .dictionary, .namespace, .loop, .macro, .function,
      .method:
      nil
    }
  }

  /// An integer's value; booleans are 0 and 1.
  var whole: Int? {
    switch self {
    case .bool(let flag): flag ? 1 : 0
    case .integer(let number): number
    case .undefined, .none, .double, .string, .list, .dictionary, .namespace, .loop, .macro,
      .function, .method:
      nil
    }
  }

  /// What a loop over it would give: elements, keys, characters, nothing of what is undefined.
  var elements: [TemplateValue]? {
    switch self {
    case .list(let elements): elements
    case .dictionary(let dictionary): dictionary.members.map(\.key)
    case .string(let text): text.unicodeScalars.map { .string(String($0)) }
    case .undefined: []
    case .none, .bool, .integer, .double, .namespace, .loop, .macro, .function, .method: nil
    }
  }

  func equals(_ other: TemplateValue) -> Bool {
    if let left = whole, let right = other.whole { return left == right }
    if let left = numeric, let right = other.numeric { return left == right }
    switch (self, other) {
    case (.undefined, .undefined), (.none, .none): return true
    case (.string(let left), .string(let right)): return left.utf8.elementsEqual(right.utf8)
    case (.list(let left), .list(let right)):
      return left.count == right.count && zip(left, right).allSatisfy { $0.equals($1) }
    case (.dictionary(let left), .dictionary(let right)):
      return left.members.count == right.members.count
        && left.members.allSatisfy { member in
          right[member.key].map { $0.equals(member.value) } ?? false
        }
    case (.namespace(let left), .namespace(let right)): return left === right
    case _: return false
    }
  }

  // MARK: As text

  /// As Python's `str` writes it.
  var printed: String {
    switch self {
    case .undefined: ""
    case .string(let text): text
    case .none, .bool, .integer, .double, .list, .dictionary, .namespace, .loop, .macro, .function,
      .method:
      represented
    }
  }

  /// As Python's `repr` writes it.
  var represented: String {
    switch self {
    case .undefined: "Undefined"
    case .none: "None"
    case .bool(let flag): flag ? "True" : "False"
    case .integer(let number): "\(number)"
    case .double(let number): Self.text(number)
    case .string(let text): Self.quoted(text)
    case .list(let elements): "[" + elements.map(\.represented).joined(separator: ", ") + "]"
    case .dictionary(let dictionary):
      "{"
        + dictionary.members.map { "\($0.key.represented): \($0.value.represented)" }
        .joined(separator: ", ") + "}"
    case .namespace: "<Namespace>"
    case .loop: "<LoopContext>"
    case .macro(let macro): "<Macro '\(macro.name)'>"
    case .function(let name), .method(_, let name): "<function \(name)>"
    }
  }

  static func text(_ number: Double) -> String {
    if number.isNaN { return "nan" }
    if number.isInfinite { return number < 0 ? "-inf" : "inf" }
    return "\(number)"
  }

  private static func quoted(_ text: String) -> String {
    let quote: Unicode.Scalar =
      text.unicodeScalars.contains("'") && !text.unicodeScalars.contains("\"") ? "\"" : "'"
    var result = String.UnicodeScalarView([quote])
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\n": result.append(contentsOf: ["\\", "n"])
      case "\r": result.append(contentsOf: ["\\", "r"])
      case "\t": result.append(contentsOf: ["\\", "t"])
      case "\\", quote: result.append(contentsOf: ["\\", scalar])
      case _: result.append(scalar)
      }
    }
    result.append(quote)
    return String(result)
  }
}
