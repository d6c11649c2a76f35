// JSON as a chain's nodes speak it: read by Foundation, looked into by name.

internal import Foundation
public import ShoalLedger
public import ShoalProtocol

public indirect enum RPCValue: Hashable, Sendable {
  case null
  case bool(Bool)
  case integer(Int64)
  case string(String)
  case list([RPCValue])
  case object([String: RPCValue])

  public subscript(name: String) -> RPCValue? {
    if case .object(let members) = self { members[name] } else { nil }
  }

  public var text: String? { if case .string(let text) = self { text } else { nil } }
  public var elements: [RPCValue]? { if case .list(let list) = self { list } else { nil } }

  /// A number as JSON-RPC writes it: `0x` and hexadecimal digits.
  public var quantity: UInt256? {
    guard let text, text.hasPrefix("0x") else { return nil }
    return UInt256(text)
  }
  public var number64: UInt64? { quantity?.narrow.flatMap { UInt64(exactly: $0) } }

  /// Bytes as JSON-RPC writes them: `0x` and two digits each.
  public var data: [UInt8]? {
    guard let text, text.hasPrefix("0x") else { return nil }
    return Hex.decode(text.dropFirst(2))
  }
  public var word: Bytes32? { data.flatMap { Bytes32($0) } }
  public var address: EthereumAddress? { data.flatMap { EthereumAddress($0) } }

  public static func quantity(_ number: UInt64) -> RPCValue {
    .string(UInt256(number).quantity)
  }
  public static func data(_ bytes: [UInt8]) -> RPCValue { .string("0x" + Hex.encode(bytes)) }
  public static func address(_ address: EthereumAddress) -> RPCValue { .data(address.bytes) }
}

extension RPCValue: Codable {
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if container.decodeNil() {
      self = .null
    } else if let value = try? container.decode(Bool.self) {
      self = .bool(value)
    } else if let value = try? container.decode(Int64.self) {
      self = .integer(value)
    } else if let value = try? container.decode(String.self) {
      self = .string(value)
    } else if let value = try? container.decode([RPCValue].self) {
      self = .list(value)
    } else if let value = try? container.decode([String: RPCValue].self) {
      self = .object(value)
    } else {
      // A fraction: nodes send none where this program looks.
      self = .null
    }
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .null: try container.encodeNil()
    case .bool(let value): try container.encode(value)
    case .integer(let value): try container.encode(value)
    case .string(let value): try container.encode(value)
    case .list(let value): try container.encode(value)
    case .object(let value): try container.encode(value)
    }
  }

  public init(json bytes: [UInt8]) throws {
    self = try JSONDecoder().decode(RPCValue.self, from: Data(bytes))
  }

  public var json: [UInt8] {
    get throws {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.sortedKeys]
      return Array(try encoder.encode(self))
    }
  }
}
