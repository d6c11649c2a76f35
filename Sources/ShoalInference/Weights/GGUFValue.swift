// A metadata value of a GGUF file, and how to ask for one by key.

import ShoalProtocol

/// A value as the file has it. Strings are bytes: most are UTF-8, but a vocabulary need not be.
public enum GGUFValue: Hashable, Sendable {
  case uint8(UInt8)
  case int8(Int8)
  case uint16(UInt16)
  case int16(Int16)
  case uint32(UInt32)
  case int32(Int32)
  case float32(Float)
  case bool(Bool)
  case string([UInt8])
  case array(GGUFArray)
  case uint64(UInt64)
  case int64(Int64)
  case float64(Double)
}

/// An array whose elements have one type.
public indirect enum GGUFArray: Hashable, Sendable {
  case uint8([UInt8])
  case int8([Int8])
  case uint16([UInt16])
  case int16([Int16])
  case uint32([UInt32])
  case int32([Int32])
  case float32([Float])
  case bool([Bool])
  case strings(ByteStrings)
  case arrays([GGUFArray])
  case uint64([UInt64])
  case int64([Int64])
  case float64([Double])
}

extension GGUFValue {
  /// The type as an error names it.
  var typeName: String {
    switch self {
    case .uint8, .int8, .uint16, .int16, .uint32, .int32, .uint64, .int64: "an integer"
    case .float32, .float64: "a number"
    case .bool: "a boolean"
    case .string: "a string"
    case .array(let array): "an array of \(array.elementName)"
    }
  }

  /// Any integer that fits.
  var integer: Int? {
    switch self {
    case .uint8(let value): Int(value)
    case .int8(let value): Int(value)
    case .uint16(let value): Int(value)
    case .int16(let value): Int(value)
    case .uint32(let value): Int(value)
    case .int32(let value): Int(value)
    case .uint64(let value): Int(exactly: value)
    case .int64(let value): Int(value)
    case .float32, .float64, .bool, .string, .array: nil
    }
  }

  /// A number of either width, rounded to the nearest `Float`.
  var float: Float? {
    switch self {
    case .float32(let value): value
    case .float64(let value): Float(value)
    case .uint8, .int8, .uint16, .int16, .uint32, .int32, .uint64, .int64, .bool, .string, .array:
      nil
    }
  }
}

extension GGUFArray {
  var elementName: String {
    switch self {
    case .uint8, .int8, .uint16, .int16, .uint32, .int32, .uint64, .int64: "integers"
    case .float32, .float64: "numbers"
    case .bool: "booleans"
    case .strings: "strings"
    case .arrays: "arrays"
    }
  }

  /// Any integers, or nil where one does not fit.
  var integers: [Int]? {
    switch self {
    case .uint8(let values): values.map(Int.init)
    case .int8(let values): values.map(Int.init)
    case .uint16(let values): values.map(Int.init)
    case .int16(let values): values.map(Int.init)
    case .uint32(let values): values.map(Int.init)
    case .int32(let values): values.map(Int.init)
    case .int64(let values): values.map(Int.init)
    case .uint64(let values):
      values.allSatisfy { $0 <= UInt64(Int.max) } ? values.map { Int($0) } : nil
    case .float32, .float64, .bool, .strings, .arrays: nil
    }
  }

  var floats: [Float]? {
    switch self {
    case .float32(let values): values
    case .float64(let values): values.map { Float($0) }
    case .uint8, .int8, .uint16, .int16, .uint32, .int32, .uint64, .int64, .bool, .strings, .arrays:
      nil
    }
  }
}
