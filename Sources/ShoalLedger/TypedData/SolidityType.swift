// Types and values of contracts, as ABI and EIP-712 both write them.

public import ShoalProtocol

/// A type by the names of the Solidity ABI specification.
public indirect enum SolidityType: Hashable, Sendable {
  /// 8 to 256 bits, a multiple of 8.
  case uint(bits: Int)
  case int(bits: Int)
  case bool
  case address
  /// 1 to 32 bytes.
  case fixedBytes(count: Int)
  case bytes
  case string
  case array(of: SolidityType)
  case fixedArray(of: SolidityType, count: Int)
  case tuple([SolidityType])
  /// A structure of EIP-712, by name.
  case structure(String)

  public static let uint256 = SolidityType.uint(bits: 256)
  public static let uint64 = SolidityType.uint(bits: 64)
  public static let bytes32 = SolidityType.fixedBytes(count: 32)
}

/// A value. Which type it has is said beside it.
public indirect enum SolidityValue: Hashable, Sendable {
  /// Of any integer type; negative ones in two's complement of 256 bits.
  case integer(UInt256)
  case bool(Bool)
  case address(EthereumAddress)
  /// Of `bytes` and of `bytesN`.
  case bytes([UInt8])
  case string(String)
  /// Elements of an array, members of a tuple or of a structure.
  case list([SolidityValue])

  public static func integer(_ value: UInt64) -> SolidityValue { .integer(UInt256(value)) }
  public static func word(_ word: Bytes32) -> SolidityValue { .bytes(word.bytes) }
}

/// Why a type's name, or a value of a type, was refused.
public enum SolidityError: Error, Hashable, Sendable {
  /// No type is written like this.
  case unknownType(String)
  case tooDeep(limit: Int)
  /// The value has another shape than its type, or does not fit it.
  case mismatch(type: String)
  case unknownStructure(String)
}

extension SolidityType {
  /// How deep arrays, tuples and structures may lie in each other.
  public static let depthLimit = 32

  /// Reads a type's name, such as `uint256`, `(address,bytes32[])[2]` or a structure's.
  public init(_ name: some StringProtocol) throws(SolidityError) {
    self = try SolidityType.parse(name[...], depth: 0)
  }

  private static func parse(
    _ name: some StringProtocol, depth: Int
  ) throws(SolidityError) -> SolidityType {
    guard depth < depthLimit else { throw .tooDeep(limit: depthLimit) }
    if name.hasSuffix("]"), let open = name.lastIndex(of: "[") {
      let element = try parse(String(name[..<open]), depth: depth + 1)
      let count = name[name.index(after: open)...].dropLast()
      if count.isEmpty { return .array(of: element) }
      guard let count = number(count, in: 0...65_535) else { throw .unknownType(String(name)) }
      return .fixedArray(of: element, count: count)
    }
    if name.hasPrefix("("), name.hasSuffix(")") {
      return .tuple(try members(String(name.dropFirst().dropLast()), depth: depth + 1))
    }
    return try atom(String(name))
  }

  /// The types between a tuple's parentheses.
  private static func members(
    _ names: String, depth: Int
  ) throws(SolidityError) -> [SolidityType] {
    var (members, open, start): ([SolidityType], Int, String.Index) = ([], 0, names.startIndex)
    if names.isEmpty { return [] }
    for index in names.indices {
      switch names[index] {
      case "(": open += 1
      case ")": open -= 1
      case "," where open == 0:
        members.append(try parse(String(names[start..<index]), depth: depth))
        start = names.index(after: index)
      case _: break
      }
    }
    members.append(try parse(String(names[start...]), depth: depth))
    return members
  }

  private static func atom(_ name: String) throws(SolidityError) -> SolidityType {
    switch name {
    case "bool": return .bool
    case "address": return .address
    case "bytes": return .bytes
    case "string": return .string
    case "uint": return .uint256
    case "int": return .int(bits: 256)
    case _: break
    }
    if name.hasPrefix("uint"), let bits = number(name.dropFirst(4), in: 8...256), bits % 8 == 0 {
      return .uint(bits: bits)
    }
    if name.hasPrefix("int"), let bits = number(name.dropFirst(3), in: 8...256), bits % 8 == 0 {
      return .int(bits: bits)
    }
    if name.hasPrefix("bytes"), let count = number(name.dropFirst(5), in: 1...32) {
      return .fixedBytes(count: count)
    }
    guard let first = name.utf8.first, name.utf8.allSatisfy({ isLetter($0) || isDigit($0) }),
      isLetter(first)
    else { throw .unknownType(name) }
    return .structure(name)
  }

  private static func isDigit(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
  }

  private static func isLetter(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) || byte == UInt8(ascii: "_")
  }

  /// Decimal digits without a leading zero.
  private static func number(_ text: some StringProtocol, in range: ClosedRange<Int>) -> Int? {
    guard text.utf8.allSatisfy(isDigit),
      text == "0" || !text.hasPrefix("0"), let number = Int(text), range.contains(number)
    else { return nil }
    return number
  }
}

extension SolidityType: CustomStringConvertible {
  /// The canonical name, as signatures and EIP-712 types write it.
  public var description: String {
    switch self {
    case .uint(let bits): "uint\(bits)"
    case .int(let bits): "int\(bits)"
    case .bool: "bool"
    case .address: "address"
    case .fixedBytes(let count): "bytes\(count)"
    case .bytes: "bytes"
    case .string: "string"
    case .array(let element): "\(element)[]"
    case .fixedArray(let element, let count): "\(element)[\(count)]"
    case .tuple(let members): "(\(members.map(\.description).joined(separator: ",")))"
    case .structure(let name): name
    }
  }
}

extension SolidityType {
  /// The 32 bytes that a value of a type of fixed size takes. Throws for what does not fit, and
  /// for types of other sizes.
  public func word(of value: SolidityValue) throws(SolidityError) -> Bytes32 {
    switch (self, value) {
    case (.uint(let bits), .integer(let number)) where number.significantBits <= bits:
      return number.word
    case (.int(let bits), .integer(let number)) where number.fitsSigned(bits: bits):
      return number.word
    case (.bool, .bool(let flag)): return UInt256(UInt64(flag ? 1 : 0)).word
    case (.address, .address(let address)): return address.word
    case (.fixedBytes(let count), .bytes(let bytes)) where bytes.count == count:
      return Bytes32(bytes + [UInt8](repeating: 0, count: 32 - count)) ?? .zero
    case _: throw .mismatch(type: description)
    }
  }
}

extension UInt256 {
  /// Whether, read as two's complement of 256 bits, it is a number of `bits` bits.
  func fitsSigned(bits: Int) -> Bool {
    let magnitude = high >> 127 == 1 ? UInt256(high: ~high, low: ~low) : self
    return magnitude.significantBits < bits
  }
}
