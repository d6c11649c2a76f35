// A table of a configuration file, whose keys are taken one by one until none may be left.

/// What stands for one key.
enum ConfigurationValue: Hashable, Sendable {
  case string(String)
  case integer(Int64)
  case boolean(Bool)
  case array([ConfigurationValue])
  case table([String: ConfigurationValue])
  /// Floating-point numbers and dates, which no file of ours has.
  case other(String)

  var kind: String {
    switch self {
    case .string: "a string"
    case .integer: "an integer"
    case .boolean: "a boolean"
    case .array: "an array"
    case .table: "a table"
    case .other(let kind): kind
    }
  }
}

/// Each `take` removes its key; `finish` refuses what is left, so that a misspelt key never passes
/// in silence.
public struct ConfigurationTable: Hashable, Sendable {
  let file: String
  /// Where this table stands in its file, such as `link.`; empty at the top.
  private let prefix: String
  private var values: [String: ConfigurationValue]

  init(file: String, prefix: String, values: [String: ConfigurationValue]) {
    self.file = file
    self.prefix = prefix
    self.values = values
  }

  public mutating func string(_ key: String) throws(ConfigurationError) -> String {
    guard let value = try optionalString(key) else { throw missing(key) }
    return value
  }

  public mutating func optionalString(_ key: String) throws(ConfigurationError) -> String? {
    guard let value = values.removeValue(forKey: key) else { return nil }
    guard case .string(let text) = value else { throw wrong(key, "a string", value) }
    return text
  }

  /// A string, or a number or a boolean as it is written: for values that are read as text.
  public mutating func optionalText(_ key: String) throws(ConfigurationError) -> String? {
    let text: String
    switch values[key] {
    case .integer(let number): text = "\(number)"
    case .boolean(let answer): text = "\(answer)"
    case _: return try optionalString(key)
    }
    values[key] = nil
    return text
  }

  public mutating func strings(_ key: String) throws(ConfigurationError) -> [String] {
    guard let value = values.removeValue(forKey: key) else { return [] }
    guard case .array(let elements) = value else { throw wrong(key, "an array of strings", value) }
    var texts: [String] = []
    for element in elements {
      guard case .string(let text) = element else { throw wrong(key, "strings only", element) }
      texts.append(text)
    }
    return texts
  }

  public mutating func boolean(
    _ key: String, default absent: Bool
  ) throws(ConfigurationError) -> Bool {
    guard let value = values.removeValue(forKey: key) else { return absent }
    guard case .boolean(let answer) = value else { throw wrong(key, "true or false", value) }
    return answer
  }

  public mutating func integer<Number: FixedWidthInteger>(
    _ key: String, atLeast lowest: Number = 0, _: Number.Type = Number.self
  ) throws(ConfigurationError) -> Number {
    guard let value = try optionalInteger(key, atLeast: lowest) else { throw missing(key) }
    return value
  }

  public mutating func optionalInteger<Number: FixedWidthInteger>(
    _ key: String, atLeast lowest: Number = 0, _: Number.Type = Number.self
  ) throws(ConfigurationError) -> Number? {
    guard let value = values.removeValue(forKey: key) else { return nil }
    guard case .integer(let given) = value else { throw wrong(key, "an integer", value) }
    let allowed = Int64(clamping: lowest)...Int64(clamping: Number.max)
    guard allowed.contains(given) else {
      throw .outOfRange(file: file, key: prefix + key, value: given, allowed: allowed)
    }
    return Number(given)
  }

  /// One of the raw values of an enum.
  public mutating func choice<Choice>(
    _ key: String, _: Choice.Type = Choice.self
  ) throws(ConfigurationError) -> Choice
  where Choice: RawRepresentable<String> & CaseIterable {
    let text = try string(key)
    guard let choice = Choice(rawValue: text) else {
      throw .notOneOf(
        file: file, key: prefix + key, value: text, allowed: Choice.allCases.map(\.rawValue))
    }
    return choice
  }

  public mutating func table(_ key: String) throws(ConfigurationError) -> ConfigurationTable {
    guard let table = try optionalTable(key) else { throw missing(key) }
    return table
  }

  public mutating func optionalTable(
    _ key: String
  ) throws(ConfigurationError) -> ConfigurationTable? {
    guard let value = values.removeValue(forKey: key) else { return nil }
    guard case .table(let entries) = value else { throw wrong(key, "a table", value) }
    return ConfigurationTable(file: file, prefix: "\(prefix)\(key).", values: entries)
  }

  /// Takes every key that is left, for a table whose keys are names.
  public mutating func remainingStrings() throws(ConfigurationError) -> [String: String] {
    var texts: [String: String] = [:]
    for key in values.keys.sorted() { texts[key] = try string(key) }
    return texts
  }

  /// Refuses keys that nobody took.
  public func finish() throws(ConfigurationError) {
    guard values.isEmpty else {
      throw .unknown(file: file, keys: values.keys.sorted().map { prefix + $0 })
    }
  }

  private func missing(_ key: String) -> ConfigurationError {
    .missing(file: file, key: prefix + key)
  }

  private func wrong(
    _ key: String, _ expected: String, _ found: ConfigurationValue
  ) -> ConfigurationError {
    .wrongType(file: file, key: prefix + key, expected: expected, found: found.kind)
  }
}
