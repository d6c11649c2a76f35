// The keys of a GGUF file, asked for by type: what is absent or of another type is named.

/// Metadata by key. Every accessor throws a `GGUFError` that names the file and the key where the
/// value has another type; those without `IfPresent` also where it is missing.
public struct GGUFMetadata: Sendable {
  let file: String
  let values: [String: GGUFValue]
  /// Where each value's entry starts in the file.
  let offsets: [String: UInt64]

  /// All keys, sorted.
  public var keys: [String] { values.keys.sorted() }
  public subscript(key: String) -> GGUFValue? { values[key] }

  public func integer(_ key: String) throws(GGUFError) -> Int {
    try required(key, try integerIfPresent(key))
  }
  public func float(_ key: String) throws(GGUFError) -> Float {
    try required(key, try floatIfPresent(key))
  }
  public func bool(_ key: String) throws(GGUFError) -> Bool {
    try required(key, try boolIfPresent(key))
  }
  public func string(_ key: String) throws(GGUFError) -> String {
    try required(key, try stringIfPresent(key))
  }
  public func strings(_ key: String) throws(GGUFError) -> ByteStrings {
    try required(key, try stringsIfPresent(key))
  }
  public func integers(_ key: String) throws(GGUFError) -> [Int] {
    try required(key, try integersIfPresent(key))
  }
  public func floats(_ key: String) throws(GGUFError) -> [Float] {
    try required(key, try floatsIfPresent(key))
  }

  /// An integer of any width.
  public func integerIfPresent(_ key: String) throws(GGUFError) -> Int? {
    try optional(key, "an integer", \.integer)
  }
  public func floatIfPresent(_ key: String) throws(GGUFError) -> Float? {
    try optional(key, "a number", \.float)
  }
  public func boolIfPresent(_ key: String) throws(GGUFError) -> Bool? {
    try optional(key, "a boolean") { if case .bool(let value) = $0 { value } else { nil } }
  }
  public func stringIfPresent(_ key: String) throws(GGUFError) -> String? {
    let bytes = try optional(key, "a string") { value -> [UInt8]? in
      if case .string(let bytes) = value { bytes } else { nil }
    }
    guard let bytes else { return nil }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw refusal(key, .notUTF8(field: "value"))
    }
    return text
  }
  public func stringsIfPresent(_ key: String) throws(GGUFError) -> ByteStrings? {
    try optional(key, "an array of strings") { value -> ByteStrings? in
      if case .array(.strings(let strings)) = value { strings } else { nil }
    }
  }
  /// Integers of any width.
  public func integersIfPresent(_ key: String) throws(GGUFError) -> [Int]? {
    try optional(key, "an array of integers") { value -> [Int]? in
      if case .array(let array) = value { array.integers } else { nil }
    }
  }
  public func floatsIfPresent(_ key: String) throws(GGUFError) -> [Float]? {
    try optional(key, "an array of numbers") { value -> [Float]? in
      if case .array(let array) = value { array.floats } else { nil }
    }
  }

  private func optional<Value>(
    _ key: String, _ expected: String, _ convert: (GGUFValue) -> Value?
  ) throws(GGUFError) -> Value? {
    guard let value = values[key] else { return nil }
    guard let converted = convert(value) else {
      throw refusal(key, .type(expected: expected, found: value.typeName))
    }
    return converted
  }

  private func required<Value>(_ key: String, _ value: Value?) throws(GGUFError) -> Value {
    guard let value else { throw refusal(key, .missing) }
    return value
  }

  private func refusal(_ key: String, _ reason: GGUFError.Reason) -> GGUFError {
    GGUFError(file: file, place: .key(key), offset: offsets[key], reason: reason)
  }
}
