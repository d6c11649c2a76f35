// What can be called: the functions that templates are given, and the methods of values.

enum TemplateFunctions {
  static let names: Set<String> = [
    "range", "dict", "namespace", "raise_exception", "strftime_now",
  ]
  static let stringMethods: Set<String> = [
    "strip", "lstrip", "rstrip", "split", "rsplit", "splitlines", "startswith", "endswith",
    "upper", "lower", "title", "capitalize", "replace", "find", "rfind", "count", "join",
    "isdigit", "isalpha", "isalnum", "isspace", "isupper", "islower", "removeprefix",
    "removesuffix", "format",
  ]
  static let mappingMethods: Set<String> = ["keys", "values", "items", "get", "copy"]
  static let listMethods: Set<String> = ["index", "count", "copy"]
  /// As many as Jinja's sandbox allows.
  static let longestRange = 100_000
}

extension TemplateEvaluator {
  mutating func call(
    _ callee: TemplateValue, _ arguments: EvaluatedArguments
  ) throws(TemplateFailure) -> TemplateValue {
    switch callee {
    case .macro(let macro): return try call(macro, arguments)
    case .function(let name): return try callFunction(name, arguments)
    case .method(.string(let text), let name): return try method(name, of: text, arguments)
    case .method(.dictionary(let dictionary), let name):
      return method(name, of: dictionary, arguments)
    case .method(.list(let elements), let name):
      return try method(name, of: elements, arguments)
    case .method(.loop(let loop), let name):
      guard name == "cycle", !arguments.positional.isEmpty else {
        throw .unsupported("loop.\(name)")
      }
      return arguments.positional[loop.index % arguments.positional.count]
    case .undefined(let name): throw .unsupported("the function \(name)")
    case .none, .bool, .integer, .double, .string, .list, .dictionary, .namespace, .loop, .method:
      throw .failed("\(callee.kind) cannot be called")
    }
  }

  private mutating func callFunction(
    _ name: String, _ arguments: EvaluatedArguments
  ) throws(TemplateFailure) -> TemplateValue {
    switch name {
    case "range": return try range(arguments)
    case "dict":
      var dictionary = TemplateDictionary()
      for (key, value) in arguments.named.sorted(by: { $0.key < $1.key }) {
        dictionary[key] = value
      }
      return .dictionary(dictionary)
    case "namespace":
      let namespace = TemplateNamespace()
      if case .dictionary(let members)? = arguments.positional.first { namespace.members = members }
      for (key, value) in arguments.named { namespace.members[key] = value }
      return .namespace(namespace)
    case "raise_exception":
      throw .whole(.refused(arguments.positional.first?.printed ?? ""))
    case "strftime_now":
      guard case .string(let format)? = arguments.positional.first else {
        throw .failed("strftime_now takes a format")
      }
      return .string(try date.text(format))
    case _: throw .unsupported("the function \(name)")
    }
  }

  private mutating func range(
    _ arguments: EvaluatedArguments
  ) throws(TemplateFailure) -> TemplateValue {
    var bounds: [Int] = []
    for argument in arguments.positional {
      guard let whole = argument.whole else { throw .failed("range takes integers") }
      bounds.append(whole)
    }
    guard (1...3).contains(bounds.count) else { throw .failed("range takes 1 to 3 integers") }
    let (start, end) = bounds.count == 1 ? (0, bounds[0]) : (bounds[0], bounds[1])
    let step = bounds.count == 3 ? bounds[2] : 1
    let span = end.subtractingReportingOverflow(start)
    guard step != 0, !span.overflow, step != .min,
      span.partialValue / step < TemplateFunctions.longestRange
    else { throw .failed("a range longer than \(TemplateFunctions.longestRange)") }
    let values = stride(from: start, to: end, by: step).map { TemplateValue.integer($0) }
    try account(values.count)
    return .list(values)
  }

  // MARK: Methods

  private mutating func method(
    _ name: String, of text: String, _ arguments: EvaluatedArguments
  ) throws(TemplateFailure) -> TemplateValue {
    try account(text.utf8.count)
    switch name {
    case "strip", "lstrip", "rstrip":
      return .string(
        TemplateText.strip(
          text, try string(arguments, 0, "chars"), left: name != "rstrip", right: name != "lstrip"))
    case "split", "rsplit":
      let separator = try string(arguments, 0, "sep")
      guard separator != "" else { throw .failed("an empty separator") }
      let limit = arguments.value(1, "maxsplit")?.whole.map { $0 < 0 ? .max : $0 } ?? .max
      let pieces =
        name == "split"
        ? TemplateText.split(text, at: separator, limit: limit)
        : TemplateText.splitFromEnd(text, at: separator, limit: limit)
      return .list(pieces.map { .string($0) })
    case "splitlines": return .list(TemplateText.lines(text).map { .string($0) })
    case "startswith", "endswith":
      guard let part = arguments.positional.first else { throw .failed("\(name) takes a string") }
      let parts: [TemplateValue]
      if case .list(let several) = part { parts = several } else { parts = [part] }
      let bytes = Array(text.utf8)
      return .bool(
        parts.contains { part in
          let end = Array(part.printed.utf8)
          return name == "startswith"
            ? bytes.starts(with: end) : bytes.reversed().starts(with: end.reversed())
        })
    case "replace":
      guard let old = try string(arguments, 0, "old"), let new = try string(arguments, 1, "new")
      else { throw .failed("replace takes two strings") }
      let limit = arguments.value(2, "count")?.whole.map { $0 < 0 ? .max : $0 } ?? .max
      return .string(try replaced(text, old, new, limit: limit))
    case "format": return .string(try formatted(text, arguments))
    case "find", "rfind", "count": return try search(name, text, arguments)
    case "join":
      guard let elements = arguments.positional.first?.elements else {
        throw .failed("join takes a list")
      }
      return .string(try joined(elements, text))
    case "removeprefix", "removesuffix":
      let part = try string(arguments, 0, "prefix") ?? ""
      let bytes = Array(text.utf8)
      if name == "removeprefix" {
        return .string(
          bytes.starts(with: part.utf8)
            ? String(decoding: bytes.dropFirst(part.utf8.count), as: UTF8.self) : text)
      }
      return .string(
        bytes.reversed().starts(with: part.utf8.reversed())
          ? String(decoding: bytes.dropLast(part.utf8.count), as: UTF8.self) : text)
    case _: return try cased(name, text)
    }
  }

  /// Python's `str.format` with plain fields: `{}`, `{0}` and `{name}`.
  private mutating func formatted(
    _ text: String, _ arguments: EvaluatedArguments
  ) throws(TemplateFailure) -> String {
    var result = ""
    var next = 0
    var rest = Array(text.unicodeScalars)[...]
    while let scalar = rest.popFirst() {
      guard scalar == "{" || scalar == "}", rest.first != scalar else {
        if scalar == "{" || scalar == "}" { rest.removeFirst() }
        result.unicodeScalars.append(scalar)
        continue
      }
      guard scalar == "{", let end = rest.firstIndex(of: "}") else {
        throw .failed("a brace that has no other")
      }
      let field = TemplateText.string(rest[..<end])
      rest = rest[(end + 1)...]
      guard let value = arguments.value(Int(field) ?? (field.isEmpty ? next : .max), field) else {
        throw .unsupported("the field {\(field)} of a format")
      }
      next += 1
      result += value.printed
      try account(result.utf8.count)
    }
    return result
  }

  private func cased(_ name: String, _ text: String) throws(TemplateFailure) -> TemplateValue {
    let all = { (property: (Unicode.Scalar) -> Bool) in
      TemplateValue.bool(!text.isEmpty && text.unicodeScalars.allSatisfy(property))
    }
    switch name {
    case "upper": return .string(text.uppercased())
    case "lower": return .string(text.lowercased())
    case "title": return .string(TemplateText.title(text))
    case "capitalize": return .string(TemplateText.capitalize(text))
    case "isdigit": return all { $0.properties.numericType == .decimal }
    case "isalpha": return all { $0.properties.isAlphabetic }
    case "isalnum": return all { $0.properties.isAlphabetic || $0.properties.numericType != nil }
    case "isspace": return all { $0.properties.isWhitespace }
    case "isupper": return .bool(text == text.uppercased() && text != text.lowercased())
    case "islower": return .bool(text == text.lowercased() && text != text.uppercased())
    case _: throw .unsupported("the method \(name) of a string")
    }
  }

  private func search(
    _ name: String, _ text: String, _ arguments: EvaluatedArguments
  ) throws(TemplateFailure) -> TemplateValue {
    guard let part = try string(arguments, 0, "sub") else {
      throw .failed("\(name) takes a string")
    }
    switch name {
    case "find": return .integer(TemplateText.first(part, in: text) ?? -1)
    case "rfind": return .integer(TemplateText.last(part, in: text) ?? -1)
    case _:
      return .integer(
        part.isEmpty
          ? text.unicodeScalars.count + 1
          : TemplateText.split(text, at: part, limit: .max).count - 1)
    }
  }

  private func method(
    _ name: String, of dictionary: TemplateDictionary, _ arguments: EvaluatedArguments
  ) -> TemplateValue {
    switch name {
    case "keys": return .list(dictionary.members.map(\.key))
    case "values": return .list(dictionary.members.map(\.value))
    case "items": return .list(dictionary.members.map { .list([$0.key, $0.value]) })
    case "get":
      guard let key = arguments.positional.first else { return .none }
      return dictionary[key] ?? arguments.value(1, "default") ?? .none
    case _: return .dictionary(dictionary)
    }
  }

  private func method(
    _ name: String, of elements: [TemplateValue], _ arguments: EvaluatedArguments
  ) throws(TemplateFailure) -> TemplateValue {
    if name == "copy" { return .list(elements) }
    guard let value = arguments.positional.first else { throw .failed("\(name) takes a value") }
    if name == "count" { return .integer(elements.count { $0.equals(value) }) }
    guard let place = elements.firstIndex(where: { $0.equals(value) }) else {
      throw .failed("\(value.represented) is not in the list")
    }
    return .integer(place)
  }

  // MARK: Shared with filters

  /// An argument that is a string or absent.
  func string(
    _ arguments: EvaluatedArguments, _ index: Int, _ name: String
  ) throws(TemplateFailure) -> String? {
    switch arguments.value(index, name) {
    case nil, .some(.none): return nil
    case .string(let text)?: return text
    case let other?: throw .failed("\(other.kind) where a string is expected")
    }
  }

  mutating func replaced(
    _ text: String, _ old: String, _ new: String, limit: Int
  ) throws(TemplateFailure) -> String {
    let result = TemplateText.replace(text, old, new, limit: limit)
    try account(result.utf8.count)
    return result
  }

  mutating func joined(
    _ elements: [TemplateValue], _ separator: String
  ) throws(TemplateFailure) -> String {
    let text = elements.map(\.printed).joined(separator: separator)
    try account(text.utf8.count)
    return text
  }
}
