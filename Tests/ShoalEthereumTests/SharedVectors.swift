// Third-party vectors, which lie beside the package and not in it.

import Foundation
import ShoalLedger
import ShoalProtocol
import Testing

enum SharedVectors {
  private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "../../../shared/vectors/ethereum").standardizedFileURL

  static let exist = FileManager.default.fileExists(atPath: folder.path)
  static let absence: Comment = "the shared vectors are absent"

  static func data(_ name: String) throws -> Data {
    try Data(contentsOf: folder.appending(path: name))
  }
  static func list<Case: Decodable>(_ name: String, of: Case.Type) throws -> [Case] {
    let cases = try JSONDecoder().decode([Case].self, from: data(name))
    try #require(!cases.isEmpty)
    return cases
  }
  static func table<Case: Decodable>(_ name: String, of: Case.Type) throws -> [String: Case] {
    let cases = try JSONDecoder().decode([String: Case].self, from: data(name))
    try #require(!cases.isEmpty)
    return cases
  }
}

/// Hexadecimal text of a vector, with or without `0x`.
struct HexText: Decodable {
  let bytes: [UInt8]

  init(from decoder: any Decoder) throws {
    let text = try decoder.singleValueContainer().decode(String.self)
    bytes = try #require(Hex.decode(text.hasPrefix("0x") ? text.dropFirst(2) : text[...]))
  }
}

/// Any JSON value. Numbers of vectors that matter are whole.
indirect enum LooseJSON: Decodable {
  case null
  case bool(Bool)
  case integer(Int)
  case string(String)
  case array([LooseJSON])
  case object([String: LooseJSON])

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if container.decodeNil() {
      self = .null
    } else if let flag = try? container.decode(Bool.self) {
      self = .bool(flag)
    } else if let number = try? container.decode(Int.self) {
      self = .integer(number)
    } else if let text = try? container.decode(String.self) {
      self = .string(text)
    } else if let elements = try? container.decode([LooseJSON].self) {
      self = .array(elements)
    } else {
      self = .object(try container.decode([String: LooseJSON].self))
    }
  }

  subscript(key: String) -> LooseJSON? {
    guard case .object(let members) = self else { return nil }
    return members[key]
  }
  var text: String? {
    guard case .string(let text) = self else { return nil }
    return text
  }
  var elements: [LooseJSON]? {
    guard case .array(let elements) = self else { return nil }
    return elements
  }

  func string() throws -> String { try #require(text) }
  func address() throws -> EthereumAddress {
    let text = try string()
    return try #require(EthereumAddress(text))
  }
  func member(_ key: String) throws -> LooseJSON { try #require(self[key]) }

  /// A number in any of the ways that vectors write it, negative ones in two's complement.
  func number() throws -> UInt256 {
    switch self {
    case .integer(let value):
      let magnitude = UInt256(UInt64(value.magnitude))
      return value < 0 ? magnitude.negated : magnitude
    case .string(let text):
      guard text.hasPrefix("-") else { return try #require(UInt256(text)) }
      let magnitude = try #require(UInt256(String(text.dropFirst())))
      return magnitude.negated
    case .null, .bool, .array, .object:
      Issue.record("no number: \(self)")
      return .zero
    }
  }

  func bytes() throws -> [UInt8] {
    let digits = try string().dropFirst(2)
    return try #require(Hex.decode(digits))
  }
}
