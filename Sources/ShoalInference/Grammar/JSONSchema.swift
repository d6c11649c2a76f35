// A JSON schema as a grammar: the texts that it allows, or a part of them, never more. A keyword
// that a grammar cannot keep is refused by its path.

/// Compiles the subset (draft 2020-12): type, enum, const, anyOf, allOf of one, $ref within the
/// document, properties, required, additionalProperties, items, minItems, maxItems, minLength and
/// maxLength. Members come in the order of `properties`; beside declared properties no others are
/// written, which every schema that does not demand them allows.
struct JSONSchema {
  private let root: JSONValue
  private var rules: [BytePattern] = []
  /// Rules of references, by their text.
  private var references: [String: Int] = [:]

  /// Say nothing of what is valid.
  private static let annotations: Set<String> = [
    "$schema", "$id", "$anchor", "$comment", "title", "description", "default", "examples",
    "deprecated", "readOnly", "writeOnly", "format", "contentEncoding", "contentMediaType",
    "$defs", "definitions",
  ]

  static func grammar(_ schema: JSONValue) throws(SchemaError) -> Grammar {
    var compiler = JSONSchema(root: schema)
    compiler.rules = JSONPatterns.rules(whole: .empty)
    let whole = try compiler.pattern(schema, "schema")
    compiler.rules[0] = .sequence([JSONPatterns.space, whole])
    return try Grammar(compiler.rules)
  }

  private init(root: JSONValue) { self.root = root }

  private mutating func pattern(
    _ schema: JSONValue, _ path: String
  ) throws(SchemaError) -> BytePattern {
    switch schema {
    case .bool(true): return JSONPatterns.value
    case .bool(false): return .choice([])
    case .object(let object): return try pattern(SchemaNode(object: object, path: path))
    case .null, .integer, .double, .string, .array:
      throw .wrongType(path: path, wanted: "a schema: an object, true or false")
    }
  }

  private mutating func pattern(_ node: SchemaNode) throws(SchemaError) -> BytePattern {
    if let reference = try node.string("$ref") {
      try node.allowOnly(["$ref"] + Self.annotations)
      return .rule(try rule(of: reference, node.path))
    }
    if let value = node.object["const"] {
      try node.allowOnly(["const", "type"] + Self.annotations)
      return literal(value)
    }
    if let values = try node.array("enum") {
      try node.allowOnly(["enum", "type"] + Self.annotations)
      let types = try node.types()
      let possible = values.filter { value in
        types.isEmpty || types.contains { value.schemaTypes.contains($0) }
      }
      return .choice(possible.map { literal($0) })
    }
    for keyword in ["anyOf", "allOf"] {
      guard let parts = try node.array(keyword) else { continue }
      try node.allowOnly([keyword] + Self.annotations)
      guard keyword == "anyOf" || parts.count == 1 else {
        throw .unsupported(path: node.path(keyword), hint: "more than one part")
      }
      return .choice(try each(parts, node.path(keyword)))
    }
    return try typed(node)
  }

  private mutating func each(
    _ schemas: [JSONValue], _ path: String
  ) throws(SchemaError) -> [BytePattern] {
    var patterns: [BytePattern] = []
    for (index, schema) in schemas.enumerated() {
      patterns.append(try pattern(schema, "\(path)[\(index)]"))
    }
    return patterns
  }

  private static let keywords: [String: [String]] = [
    "object": ["properties", "required", "additionalProperties"],
    "array": ["items", "minItems", "maxItems"],
    "string": ["minLength", "maxLength"],
  ]

  private mutating func typed(_ node: SchemaNode) throws(SchemaError) -> BytePattern {
    var types = try node.types()
    if types.isEmpty {
      let hinted = ["object", "array"].filter { type in
        (Self.keywords[type] ?? []).contains { node.object[$0] != nil }
      }
      if hinted.isEmpty {
        try node.allowOnly(Self.annotations)
        return JSONPatterns.value
      }
      types = hinted
    }
    let known = types.flatMap { Self.keywords[$0] ?? [] }
    try node.allowOnly(["type"] + known + Self.annotations)
    var patterns: [BytePattern] = []
    for type in types { patterns.append(try pattern(of: type, node)) }
    return .choice(patterns)
  }

  private mutating func pattern(
    of type: String, _ node: SchemaNode
  ) throws(SchemaError) -> BytePattern {
    switch type {
    case "null": return .text("null")
    case "boolean": return .choice([.text("true"), .text("false")])
    case "integer": return JSONPatterns.integer
    case "number": return JSONPatterns.number
    case "string":
      let (least, most) = try node.bounds("minLength", "maxLength")
      if least == 0, most == nil { return JSONPatterns.string }
      return JSONPatterns.quoted(.times(JSONPatterns.character, least: least, most: most))
    case "array":
      let (least, most) = try node.bounds("minItems", "maxItems")
      let items = node.object["items"] ?? .bool(true)
      return JSONPatterns.list(
        of: try pattern(items, node.path("items")), least: least, most: most)
    case "object": return try object(node)
    case let other:
      throw .unsupported(path: node.path("type"), hint: "\(other.debugDescription) is no type")
    }
  }

  // MARK: Objects

  private mutating func object(_ node: SchemaNode) throws(SchemaError) -> BytePattern {
    let properties = try node.members("properties")
    let required = try node.strings("required")
    if properties.isEmpty {
      guard required.isEmpty else {
        throw .unsupported(
          path: node.path("required"), hint: "\(required[0].debugDescription) is no property")
      }
      switch node.object["additionalProperties"] {
      case nil, .bool(true)?: return JSONPatterns.object
      case .bool(false)?: return .sequence([.text("{"), JSONPatterns.space, .text("}")])
      case let schema?:
        let value = try pattern(schema, node.path("additionalProperties"))
        return JSONPatterns.braced("{", JSONPatterns.members(of: JSONPatterns.string, value), "}")
      }
    }
    if let stranger = required.first(where: { name in !properties.contains { $0.key == name } }) {
      throw .unsupported(
        path: node.path("required"), hint: "\(stranger.debugDescription) is no property")
    }
    var members: [(pattern: BytePattern, isRequired: Bool)] = []
    for property in properties {
      let value = try pattern(property.value, node.path("properties") + ".\(property.key)")
      members.append(
        (
          JSONPatterns.member(literal(.string(property.key)), value),
          required.contains(property.key)
        ))
    }
    let inner = inOrder(members)
    return .sequence([.text("{"), JSONPatterns.space, inner, .text("}")])
  }

  /// Members in their order, the optional ones there or not, with commas between those that are
  /// there. Two rules for each: what follows where one has come before, and where none has.
  private mutating func inOrder(
    _ members: [(pattern: BytePattern, isRequired: Bool)]
  ) -> BytePattern {
    var (first, later) = (BytePattern.empty, JSONPatterns.space)
    for member in members.reversed() {
      let (firstRest, laterRest) = (first, add(later))
      let taken = BytePattern.sequence([member.pattern, laterRest])
      let comma = BytePattern.sequence([JSONPatterns.comma, taken])
      first = member.isRequired ? taken : .choice([taken, add(firstRest)])
      later = member.isRequired ? comma : .choice([comma, laterRest])
    }
    return first
  }

  private mutating func add(_ pattern: BytePattern) -> BytePattern {
    rules.append(pattern)
    return .rule(rules.count - 1)
  }

  // MARK: References

  private mutating func rule(
    of reference: String, _ path: String
  ) throws(SchemaError) -> Int {
    if let known = references[reference] { return known }
    let target = try resolve(reference, path)
    let rule = rules.count
    rules.append(.empty)
    references[reference] = rule
    rules[rule] = try pattern(target, reference)
    return rule
  }

  /// A JSON pointer (RFC 6901) as a fragment.
  private func resolve(_ reference: String, _ path: String) throws(SchemaError) -> JSONValue {
    let missing = SchemaError.unresolved(path: "\(path).$ref", reference: reference)
    guard reference.hasPrefix("#") else { throw missing }
    var value = root
    for part in reference.dropFirst().split(separator: "/") {
      var (key, isEscaped) = ("", false)
      for character in part {
        switch (isEscaped, character) {
        case (false, "~"): isEscaped = true
        case (true, "0"): (key, isEscaped) = (key + "~", false)
        case (true, "1"): (key, isEscaped) = (key + "/", false)
        case (true, _): throw missing
        case (false, _): key.append(character)
        }
      }
      guard case .object(let object) = value, let next = object[key] else { throw missing }
      value = next
    }
    return value
  }

  private func literal(_ value: JSONValue) -> BytePattern { .text(value.text) }
}

/// An object of a schema with its path, for errors that name it.
private struct SchemaNode {
  let object: JSONObject
  let path: String

  func path(_ keyword: String) -> String { "\(path).\(keyword)" }

  func allowOnly(_ keywords: some Sequence<String>) throws(SchemaError) {
    let allowed = Set(keywords)
    for member in object.members where !allowed.contains(member.key) {
      throw .unsupported(path: path(member.key), hint: "leave it out, or check it afterwards")
    }
  }

  func string(_ keyword: String) throws(SchemaError) -> String? {
    switch object[keyword] {
    case nil: return nil
    case .string(let text)?: return text
    case _?: throw .wrongType(path: path(keyword), wanted: "a string")
    }
  }

  func array(_ keyword: String) throws(SchemaError) -> [JSONValue]? {
    switch object[keyword] {
    case nil: return nil
    case .array(let values)? where !values.isEmpty: return values
    case _?: throw .wrongType(path: path(keyword), wanted: "a list that is not empty")
    }
  }

  func members(_ keyword: String) throws(SchemaError) -> [JSONObject.Member] {
    switch object[keyword] {
    case nil: return []
    case .object(let members)?: return members.members
    case _?: throw .wrongType(path: path(keyword), wanted: "an object")
    }
  }

  func strings(_ keyword: String) throws(SchemaError) -> [String] {
    guard let value = object[keyword] else { return [] }
    guard case .array(let values) = value else {
      throw .wrongType(path: path(keyword), wanted: "a list of strings")
    }
    var strings: [String] = []
    for value in values {
      guard case .string(let text) = value else {
        throw .wrongType(path: path(keyword), wanted: "a list of strings")
      }
      strings.append(text)
    }
    return strings
  }

  /// The names under `type`; empty where there is none.
  func types() throws(SchemaError) -> [String] {
    switch object["type"] {
    case nil: return []
    case .string(let type)?: return [type]
    case _?: return try strings("type")
    }
  }

  func bounds(_ least: String, _ most: String) throws(SchemaError) -> (Int, Int?) {
    let low = try count(least) ?? 0
    let high = try count(most)
    if let high, high < low { throw .nothing }
    return (low, high)
  }

  private func count(_ keyword: String) throws(SchemaError) -> Int? {
    switch object[keyword] {
    case nil: return nil
    case .integer(let value)? where (0...Int64(Grammar.nodeLimit)).contains(value):
      return Int(value)
    case _?:
      throw .wrongType(path: path(keyword), wanted: "a whole number to \(Grammar.nodeLimit)")
    }
  }
}

extension JSONValue {
  /// The names that `type` has for it.
  fileprivate var schemaTypes: [String] {
    switch self {
    case .null: ["null"]
    case .bool: ["boolean"]
    case .integer: ["integer", "number"]
    case .double: ["number"]
    case .string: ["string"]
    case .array: ["array"]
    case .object: ["object"]
    }
  }
}
