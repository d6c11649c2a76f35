// A JSON value that knows where it stands, so that a refusal names the key.

public struct JSONNode: Sendable {
  public let value: JSONValue
  /// Such as `model.merges[17]`; of the document itself, what it is called.
  public let path: String

  /// - Parameter name: what an error calls the document, such as `config.json`.
  public init(_ value: JSONValue, name: String) {
    self.value = value
    path = name
  }

  private init(_ value: JSONValue, path: String) {
    self.value = value
    self.path = path
  }

  /// The member of an object; nil where there is none, where it is null, and in what is no object.
  public subscript(key: String) -> JSONNode? {
    guard case .object(let object) = value, let member = object[key] else { return nil }
    if case .null = member { return nil }
    return JSONNode(member, path: "\(path).\(key)")
  }

  public func require(_ key: String) throws(JSONError) -> JSONNode {
    guard let node = self[key] else { throw .missing(path: "\(path).\(key)") }
    return node
  }

  public func string() throws(JSONError) -> String {
    guard case .string(let text) = value else { throw type("a string") }
    return text
  }

  public func bool() throws(JSONError) -> Bool {
    guard case .bool(let flag) = value else { throw type("a boolean") }
    return flag
  }

  /// An integer, also one written as a number without fraction, such as `1e4` or `512.0`.
  public func integer() throws(JSONError) -> Int {
    switch value {
    case .integer(let number): return Int(number)
    case .double(let number):
      guard let whole = Int(exactly: number) else { throw type("an integer") }
      return whole
    case .null, .bool, .string, .array, .object: throw type("an integer")
    }
  }

  /// An integer within bounds.
  public func integer(in range: ClosedRange<Int>) throws(JSONError) -> Int {
    let number = try integer()
    guard range.contains(number) else {
      throw .value(
        path: path, wanted: "\(range.lowerBound)...\(range.upperBound)", found: "\(number)")
    }
    return number
  }

  public func double() throws(JSONError) -> Double {
    switch value {
    case .integer(let number): return Double(number)
    case .double(let number): return number
    case .null, .bool, .string, .array, .object: throw type("a number")
    }
  }

  public func elements() throws(JSONError) -> [JSONNode] {
    try array().enumerated().map { JSONNode($1, path: "\(path)[\($0)]") }
  }

  /// The elements of an array without their paths, which cost as much as they do.
  public func array() throws(JSONError) -> [JSONValue] {
    guard case .array(let elements) = value else { throw type("an array") }
    return elements
  }

  public func object() throws(JSONError) -> JSONObject {
    guard case .object(let object) = value else { throw type("an object") }
    return object
  }

  /// The members of an object in the order of the file.
  public func members() throws(JSONError) -> [(key: String, node: JSONNode)] {
    try object().members.map { ($0.key, JSONNode($0.value, path: "\(path).\($0.key)")) }
  }

  /// An error that says what was wanted here.
  public func type(_ wanted: String) -> JSONError {
    .type(path: path, wanted: wanted, found: value.kind)
  }
}
