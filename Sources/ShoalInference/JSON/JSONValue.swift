// A JSON document in memory, with keys in the order of the file.

/// A value of RFC 8259. Strings keep their scalars: nothing is composed or decomposed.
public indirect enum JSONValue: Sendable, Hashable {
  case null
  case bool(Bool)
  /// A number without fraction and exponent that fits.
  case integer(Int64)
  /// Any other number; never infinite or NaN unless the reader was told to accept Python's names.
  case double(Double)
  case string(String)
  case array([JSONValue])
  case object(JSONObject)

  /// What it is, for an error.
  public var kind: String {
    switch self {
    case .null: "null"
    case .bool: "a boolean"
    case .integer: "an integer"
    case .double: "a number"
    case .string: "a string"
    case .array: "an array"
    case .object: "an object"
    }
  }
}

/// Members in the order of the file. No two have the same key.
public struct JSONObject: Sendable, Hashable {
  public struct Member: Sendable, Hashable {
    public let key: String
    public let value: JSONValue
  }

  public private(set) var members: [Member] = []
  private var positions: [ExactText: Int] = [:]

  public init() {}

  /// Of two members with one key the first counts.
  public init(_ members: [(key: String, value: JSONValue)]) {
    for member in members { _ = insert(member.value, for: member.key) }
  }

  public subscript(key: String) -> JSONValue? {
    positions[ExactText(key)].map { members[$0].value }
  }

  /// False, and nothing changed, where the key is there already.
  mutating func insert(_ value: JSONValue, for key: String) -> Bool {
    let position = members.count
    let known = positions.updateValue(position, forKey: ExactText(key))
    if let known {
      positions[ExactText(key)] = known
      return false
    }
    members.append(Member(key: key, value: value))
    return true
  }
}

/// A string that equals only those with the same UTF-8. `String` also equals other spellings of
/// the same characters, and a vocabulary has both "é" as one scalar and as two.
public struct ExactText: Hashable, Sendable {
  public let text: String

  public init(_ text: String) { self.text = text }

  public static func == (left: ExactText, right: ExactText) -> Bool {
    left.text.utf8.elementsEqual(right.text.utf8)
  }

  public func hash(into hasher: inout Hasher) {
    var text = text
    text.withUTF8 { bytes in
      unsafe hasher.combine(bytes: UnsafeRawBufferPointer(bytes))
    }
  }
}
