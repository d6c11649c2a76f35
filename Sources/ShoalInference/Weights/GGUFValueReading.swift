// Reads metadata values: the numbers of the value types, and which bytes follow each.

import ShoalProtocol

/// The value types of the GGUF specification, by their numbers.
enum GGUFValueType: UInt32 {
  case uint8 = 0
  case int8 = 1
  case uint16 = 2
  case int16 = 3
  case uint32 = 4
  case int32 = 5
  case float32 = 6
  case bool = 7
  case string = 8
  case array = 9
  case uint64 = 10
  case int64 = 11
  case float64 = 12

  /// The fewest bytes that a value can take.
  var leastBytes: Int {
    switch self {
    case .uint8, .int8, .bool: 1
    case .uint16, .int16: 2
    case .uint32, .int32, .float32: 4
    case .uint64, .int64, .float64, .string: 8
    case .array: 12
    }
  }
}

extension GGUFCursor {
  mutating func valueType() throws(GGUFError) -> GGUFValueType {
    let start = position
    let number = try integer(UInt32.self)
    guard let type = GGUFValueType(rawValue: number) else {
      throw refusal(.unknownValueType(number), at: start)
    }
    return type
  }

  mutating func value() throws(GGUFError) -> GGUFValue {
    switch try valueType() {
    case .uint8: .uint8(try integer())
    case .int8: .int8(try integer())
    case .uint16: .uint16(try integer())
    case .int16: .int16(try integer())
    case .uint32: .uint32(try integer())
    case .int32: .int32(try integer())
    case .float32: .float32(Float(bitPattern: try integer()))
    case .bool: .bool(try boolean())
    case .string: .string(try bytes())
    case .array: .array(try array(depth: 1))
    case .uint64: .uint64(try integer())
    case .int64: .int64(try integer())
    case .float64: .float64(Double(bitPattern: try integer()))
    }
  }

  private mutating func array(depth: Int) throws(GGUFError) -> GGUFArray {
    guard depth <= Limits.ggufArrayDepth else {
      throw refusal(.tooDeep(limit: Limits.ggufArrayDepth))
    }
    let type = try valueType()
    let total = try count(eachAtLeast: type.leastBytes)
    switch type {
    case .uint8: return .uint8(try integers(total))
    case .int8: return .int8(try integers(total))
    case .uint16: return .uint16(try integers(total))
    case .int16: return .int16(try integers(total))
    case .uint32: return .uint32(try integers(total))
    case .int32: return .int32(try integers(total))
    case .float32:
      return .float32(try integers(total, UInt32.self).map { Float(bitPattern: $0) })
    case .bool:
      var values: [Bool] = []
      for _ in 0..<total { values.append(try boolean()) }
      return .bool(values)
    case .string:
      var strings = ByteStrings()
      strings.reserve(strings: total)
      for _ in 0..<total { try bytes(into: &strings) }
      return .strings(strings)
    case .array:
      var arrays: [GGUFArray] = []
      for _ in 0..<total { arrays.append(try array(depth: depth + 1)) }
      return .arrays(arrays)
    case .uint64: return .uint64(try integers(total))
    case .int64: return .int64(try integers(total))
    case .float64:
      return .float64(try integers(total, UInt64.self).map { Double(bitPattern: $0) })
    }
  }

  private mutating func boolean() throws(GGUFError) -> Bool {
    let start = position
    let byte = try integer(UInt8.self)
    guard byte <= 1 else { throw refusal(.notABoolean(byte), at: start) }
    return byte == 1
  }
}
