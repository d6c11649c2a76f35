// Reads JSON that a stranger wrote (RFC 8259): typed errors with byte offsets, bounded depth, size
// and count, no recursion beyond the depth limit.

/// What a reader accepts.
public struct JSONLimits: Hashable, Sendable {
  /// The largest `tokenizer.json` seen, of 262,144 tokens, has 33 MB.
  public var bytes = 128 << 20
  public var depth = 64
  /// Of all kinds, nested ones included. Bounds memory: a value takes under 100 bytes.
  public var values = 1 << 23
  /// Whether `NaN`, `Infinity` and `-Infinity` are numbers, as Python's writer has them in some
  /// `config.json`. No RFC allows them.
  public var acceptsPythonNumbers = false

  public init() {}
}

extension JSONValue {
  /// Reads a whole document. A key that an object has twice is refused, since readers disagree on
  /// which counts.
  public init(
    parsing bytes: [UInt8], limits: JSONLimits = JSONLimits()
  ) throws(JSONError) {
    guard bytes.count <= limits.bytes else {
      throw .tooLarge(limit: limits.bytes, bytes: bytes.count)
    }
    var reader = JSONReader(bytes: bytes, limits: limits)
    self = try reader.document()
  }
}

private struct JSONReader {
  let bytes: [UInt8]
  let limits: JSONLimits
  var position = 0
  var values = 0

  init(bytes: [UInt8], limits: JSONLimits) {
    self.bytes = bytes
    self.limits = limits
    // Editors of one system put a byte order mark before a file.
    if bytes.starts(with: [0xef, 0xbb, 0xbf]) { position = 3 }
  }

  mutating func document() throws(JSONError) -> JSONValue {
    let value = try value(depth: 0)
    skipSpace()
    guard position == bytes.count else { throw .trailing(offset: position) }
    return value
  }

  private mutating func value(depth: Int) throws(JSONError) -> JSONValue {
    guard depth < limits.depth else { throw .tooDeep(limit: limits.depth, offset: position) }
    values += 1
    guard values <= limits.values else {
      throw .tooManyValues(limit: limits.values, offset: position)
    }
    switch try peek() {
    case UInt8(ascii: "{"): return .object(try object(depth: depth))
    case UInt8(ascii: "["): return .array(try array(depth: depth))
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
    case let first: return try word(first)
    }
  }

  private mutating func object(depth: Int) throws(JSONError) -> JSONObject {
    position += 1
    var object = JSONObject()
    if try peek() == UInt8(ascii: "}") {
      position += 1
      return object
    }
    while true {
      guard try peek() == UInt8(ascii: "\"") else {
        throw .unexpected(byte: bytes[position], wanted: "a key", offset: position)
      }
      let start = position
      let key = try string()
      guard try peek() == UInt8(ascii: ":") else {
        throw .unexpected(byte: bytes[position], wanted: "a colon", offset: position)
      }
      position += 1
      guard object.insert(try value(depth: depth + 1), for: key) else {
        throw .duplicate(key: String(key.prefix(64)), offset: start)
      }
      if try isLast(closing: "}") { return object }
    }
  }

  private mutating func array(depth: Int) throws(JSONError) -> [JSONValue] {
    position += 1
    var elements: [JSONValue] = []
    if try peek() == UInt8(ascii: "]") {
      position += 1
      return elements
    }
    while true {
      elements.append(try value(depth: depth + 1))
      if try isLast(closing: "]") { return elements }
    }
  }

  /// Takes a comma or the closing bracket.
  private mutating func isLast(closing: Unicode.Scalar) throws(JSONError) -> Bool {
    let byte = try peek()
    guard byte == UInt8(ascii: closing) || byte == UInt8(ascii: ",") else {
      throw .unexpected(byte: byte, wanted: "a comma or \(closing)", offset: position)
    }
    position += 1
    return byte == UInt8(ascii: closing)
  }

  private mutating func word(_ first: UInt8) throws(JSONError) -> JSONValue {
    let words: [(String, JSONValue)] = [
      ("true", .bool(true)), ("false", .bool(false)), ("null", .null),
    ]
    for (word, value) in words where take(word) { return value }
    if limits.acceptsPythonNumbers {
      if take("NaN") { return .double(.nan) }
      if take("Infinity") { return .double(.infinity) }
    }
    throw .unexpected(byte: first, wanted: "a value", offset: position)
  }

  private mutating func take(_ word: String) -> Bool {
    guard bytes[position...].starts(with: word.utf8) else { return false }
    position += word.utf8.count
    return true
  }

  private mutating func skipSpace() {
    while position < bytes.count {
      switch bytes[position] {
      case 0x20, 0x09, 0x0a, 0x0d: position += 1
      case _: return
      }
    }
  }

  /// The next byte that is no white space.
  private mutating func peek() throws(JSONError) -> UInt8 {
    skipSpace()
    guard position < bytes.count else { throw .truncated(offset: position) }
    return bytes[position]
  }
}

extension JSONReader {
  private mutating func number() throws(JSONError) -> JSONValue {
    let start = position
    if bytes[position] == UInt8(ascii: "-") { position += 1 }
    if limits.acceptsPythonNumbers, take("Infinity") { return .double(-.infinity) }
    let firstDigit = position
    guard digits() > 0, bytes[firstDigit] != UInt8(ascii: "0") || position == firstDigit + 1 else {
      throw .number(offset: start)
    }
    var isWhole = true
    if position < bytes.count, bytes[position] == UInt8(ascii: ".") {
      position += 1
      isWhole = false
      guard digits() > 0 else { throw .number(offset: start) }
    }
    if position < bytes.count, bytes[position] | 0x20 == UInt8(ascii: "e") {
      position += 1
      isWhole = false
      if position < bytes.count, [UInt8(ascii: "+"), UInt8(ascii: "-")].contains(bytes[position]) {
        position += 1
      }
      guard digits() > 0 else { throw .number(offset: start) }
    }
    let text = String(decoding: bytes[start..<position], as: UTF8.self)
    if isWhole, let integer = Int64(text) { return .integer(integer) }
    guard let double = Double(text), double.isFinite else { throw .number(offset: start) }
    return .double(double)
  }

  private mutating func digits() -> Int {
    let start = position
    while position < bytes.count, (0x30...0x39).contains(bytes[position]) { position += 1 }
    return position - start
  }

  private mutating func string() throws(JSONError) -> String {
    let start = position
    position += 1
    var text: [UInt8] = []
    while true {
      let run = position
      while position < bytes.count, bytes[position] != UInt8(ascii: "\""),
        bytes[position] != UInt8(ascii: "\\"), bytes[position] >= 0x20
      {
        position += 1
      }
      guard position < bytes.count else { throw .truncated(offset: position) }
      let closes = bytes[position] == UInt8(ascii: "\"")
      if closes, text.isEmpty {
        position += 1
        return try Self.checked(bytes[run..<position - 1], offset: start)
      }
      text += bytes[run..<position]
      guard bytes[position] >= 0x20 else {
        throw .control(byte: bytes[position], offset: position)
      }
      position += 1
      if closes { return try Self.checked(text[...], offset: start) }
      try escape(into: &text)
    }
  }

  private static func checked(
    _ bytes: ArraySlice<UInt8>, offset: Int
  ) throws(JSONError) -> String {
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw .notUTF8(offset: offset)
    }
    return text
  }

  /// What follows a backslash.
  private mutating func escape(into text: inout [UInt8]) throws(JSONError) {
    guard position < bytes.count else { throw .truncated(offset: position) }
    let start = position - 1
    position += 1
    switch bytes[position - 1] {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"):
      text.append(bytes[position - 1])
    case UInt8(ascii: "b"): text.append(0x08)
    case UInt8(ascii: "f"): text.append(0x0c)
    case UInt8(ascii: "n"): text.append(0x0a)
    case UInt8(ascii: "r"): text.append(0x0d)
    case UInt8(ascii: "t"): text.append(0x09)
    case UInt8(ascii: "u"):
      text.append(contentsOf: String(try scalar(start: start)).utf8)
    case _: throw .escape(offset: start)
    }
  }

  /// The scalar of `\u` and four digits, or of two such. Half a pair is refused: it is no text.
  private mutating func scalar(start: Int) throws(JSONError) -> Unicode.Scalar {
    let first = try hexadecimal(start: start)
    if let scalar = Unicode.Scalar(first) { return scalar }
    guard first < 0xdc00, take("\\u") else { throw .escape(offset: start) }
    let second = try hexadecimal(start: start)
    guard (0xdc00...0xdfff).contains(second),
      let scalar = Unicode.Scalar(0x10000 + (first - 0xd800) << 10 + (second - 0xdc00))
    else { throw .escape(offset: start) }
    return scalar
  }

  private mutating func hexadecimal(start: Int) throws(JSONError) -> UInt32 {
    guard position + 4 <= bytes.count else { throw .truncated(offset: bytes.count) }
    var value: UInt32 = 0
    for byte in bytes[position..<position + 4] {
      switch byte {
      case 0x30...0x39: value = value << 4 | UInt32(byte - 0x30)
      case 0x41...0x46, 0x61...0x66: value = value << 4 | UInt32((byte | 0x20) - 0x61 + 10)
      case _: throw .escape(offset: start)
      }
    }
    position += 4
    return value
  }
}
