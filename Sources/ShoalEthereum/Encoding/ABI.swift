// The encoding of contract calls and events (Solidity's "Contract ABI Specification"). Read
// strictly: only what `encode` writes is accepted, so that no bytes say one thing twice.

public import ShoalLedger
public import ShoalProtocol

/// Why bytes are not the encoding of a type. Offsets count from the first byte.
public enum ABIError: Error, Hashable, Sendable {
  case truncated(offset: Int, need: Int, have: Int)
  case trailing(bytes: Int)
  /// A word that is no value of this type, or padding that is not zero.
  case value(type: String, offset: Int)
  /// A pointer that does not point to where the encoder would have put the value.
  case pointer(offset: Int)
  case tooDeep(limit: Int)
  /// The value has another shape than its type.
  case mismatch(SolidityError)
}

public enum ABI {
  /// Writes `values` as arguments of `types`.
  public static func encode(
    _ types: [SolidityType], _ values: [SolidityValue]
  ) throws(ABIError) -> [UInt8] {
    guard types.count == values.count else {
      throw .mismatch(.mismatch(type: SolidityType.tuple(types).description))
    }
    var heads: [[UInt8]?] = []
    var tails: [[UInt8]] = []
    for (type, value) in zip(types, values) {
      let bytes = try encode(type, value)
      heads.append(type.isDynamic ? nil : bytes)
      tails.append(type.isDynamic ? bytes : [])
    }
    var offset = heads.reduce(0) { $0 + ($1?.count ?? 32) }
    var encoded: [UInt8] = []
    for (head, tail) in zip(heads, tails) {
      encoded += head ?? UInt256(UInt64(offset)).word.bytes
      offset += tail.count
    }
    return encoded + tails.joined()
  }

  private static func encode(
    _ type: SolidityType, _ value: SolidityValue
  ) throws(ABIError) -> [UInt8] {
    switch (type, value) {
    case (.bytes, .bytes(let bytes)): return padded(bytes)
    case (.string, .string(let text)): return padded(Array(text.utf8))
    case (.array(let element), .list(let values)):
      return UInt256(UInt64(values.count)).word.bytes
        + (try encode(values.map { _ in element }, values))
    case (.fixedArray(let element, let count), .list(let values)) where values.count == count:
      return try encode(values.map { _ in element }, values)
    case (.tuple(let members), .list(let values)): return try encode(members, values)
    case _:
      do { return try type.word(of: value).bytes } catch { throw .mismatch(error) }
    }
  }

  /// A length, the bytes, zeros to a multiple of 32.
  private static func padded(_ bytes: [UInt8]) -> [UInt8] {
    let padding = (32 - bytes.count % 32) % 32
    return UInt256(UInt64(bytes.count)).word.bytes + bytes + [UInt8](repeating: 0, count: padding)
  }

  /// Reads arguments of `types` and nothing after them.
  public static func decode(
    _ types: [SolidityType], _ bytes: [UInt8]
  ) throws(ABIError) -> [SolidityValue] {
    var reader = ABIReader(bytes: bytes)
    let values = try reader.sequence(types, depth: 0)
    guard reader.end == bytes.count else { throw .trailing(bytes: bytes.count - reader.end) }
    return values
  }

  /// The first four bytes of a call: `name` is such as `redeem(bytes32,uint256)`.
  public static func selector(_ name: String) -> [UInt8] {
    Array(eventTopic(name).bytes.prefix(4))
  }

  /// The first topic of an event's logs.
  public static func eventTopic(_ name: String) -> Bytes32 { Keccak256.hash(Array(name.utf8)) }
}

extension SolidityType {
  /// Whether its encoding lies behind a pointer.
  var isDynamic: Bool {
    switch self {
    case .bytes, .string, .array: true
    case .fixedArray(let element, let count): count > 0 && element.isDynamic
    case .tuple(let members): members.contains(where: \.isDynamic)
    case .uint, .int, .bool, .address, .fixedBytes, .structure: false
    }
  }

  /// Bytes in the head of a sequence.
  fileprivate var headBytes: Int {
    if isDynamic { return 32 }
    switch self {
    case .fixedArray(let element, let count):
      let (bytes, overflow) = element.headBytes.multipliedReportingOverflow(by: count)
      return overflow ? .max / 2 : bytes
    case .tuple(let members): return members.reduce(0) { min($0 + $1.headBytes, .max / 2) }
    case _: return 32
    }
  }
}

/// Reads an encoding from front to back: tails lie in order without gaps, so that the work is
/// bounded by the bytes.
private struct ABIReader {
  let bytes: [UInt8]
  /// Behind the last tail that was read: where the next must begin.
  var end = 0

  init(bytes: [UInt8]) { self.bytes = bytes }

  /// Values whose heads begin at `end`.
  mutating func sequence(
    _ types: [SolidityType], depth: Int
  ) throws(ABIError) -> [SolidityValue] {
    guard depth < SolidityType.depthLimit else { throw .tooDeep(limit: SolidityType.depthLimit) }
    let base = end
    let heads = types.reduce(0) { min($0 + $1.headBytes, .max / 2) }
    try require(heads, at: base)
    end += heads
    var position = base
    var values: [SolidityValue] = []
    for type in types {
      if type.isDynamic {
        let pointer = try word(at: position)
        guard UInt256(pointer) == UInt256(UInt64(end - base)) else {
          throw .pointer(offset: position)
        }
        values.append(try tail(type, depth: depth))
        position += 32
      } else {
        values.append(try inline(type, at: &position, depth: depth))
      }
    }
    return values
  }

  /// A value without pointers, whose bytes are known to be there.
  private func inline(
    _ type: SolidityType, at position: inout Int, depth: Int
  ) throws(ABIError) -> SolidityValue {
    guard depth < SolidityType.depthLimit else { throw .tooDeep(limit: SolidityType.depthLimit) }
    var members: [SolidityType]
    switch type {
    case .fixedArray(let element, let count):
      members = Array(repeating: element, count: count)
    case .tuple(let types): members = types
    case _:
      defer { position += 32 }
      return try atom(type, at: position)
    }
    var values: [SolidityValue] = []
    for member in members { values.append(try inline(member, at: &position, depth: depth + 1)) }
    return .list(values)
  }

  private mutating func tail(_ type: SolidityType, depth: Int) throws(ABIError) -> SolidityValue {
    switch type {
    case .bytes: return .bytes(try content(type))
    case .string:
      let offset = end
      guard let text = String(validating: try content(type), as: UTF8.self) else {
        throw .value(type: "string", offset: offset)
      }
      return .string(text)
    case .array(let element):
      let offset = end
      let count = try length()
      // An element takes bytes, so that a lying count costs nothing.
      guard element.headBytes > 0, count <= (bytes.count - end) / element.headBytes else {
        throw .value(type: type.description, offset: offset)
      }
      return .list(try sequence(Array(repeating: element, count: count), depth: depth + 1))
    case .fixedArray(let element, let count):
      try require(count * 32, at: end)
      return .list(try sequence(Array(repeating: element, count: count), depth: depth + 1))
    case .tuple(let members): return .list(try sequence(members, depth: depth + 1))
    case _: throw .value(type: type.description, offset: end)
    }
  }

  /// The bytes of `bytes` and `string`.
  private mutating func content(_ type: SolidityType) throws(ABIError) -> [UInt8] {
    let count = try length()
    try require(count, at: end)
    let padded = (count + 31) / 32 * 32
    try require(padded, at: end)
    defer { end += padded }
    guard bytes[end + count..<end + padded].allSatisfy({ $0 == 0 }) else {
      throw .value(type: type.description, offset: end + count)
    }
    return Array(bytes[end..<end + count])
  }

  private mutating func length() throws(ABIError) -> Int {
    let number = UInt256(try word(at: end))
    guard number.high == 0, let count = Int(exactly: number.low), count <= bytes.count else {
      throw .value(type: "length", offset: end)
    }
    end += 32
    return count
  }

  private func atom(_ type: SolidityType, at offset: Int) throws(ABIError) -> SolidityValue {
    let word = try word(at: offset)
    let value: SolidityValue?
    switch type {
    case .uint, .int: value = .integer(UInt256(word))
    case .bool: value = UInt256(word) <= UInt256(UInt64(1)) ? .bool(word != .zero) : nil
    case .address: value = EthereumAddress(padded: word).map { .address($0) }
    case .fixedBytes(let count): value = .bytes(Array(word.bytes.prefix(count)))
    case .bytes, .string, .array, .fixedArray, .tuple, .structure: value = nil
    }
    // What a value is written as is all that may stand here.
    guard let value, (try? type.word(of: value)) == word else {
      throw .value(type: type.description, offset: offset)
    }
    return value
  }

  private func word(at offset: Int) throws(ABIError) -> Bytes32 {
    try require(32, at: offset)
    return Bytes32(bytes[offset..<offset + 32]) ?? .zero
  }

  private func require(_ count: Int, at offset: Int) throws(ABIError) {
    guard count <= bytes.count - offset else {
      throw .truncated(offset: offset, need: count, have: bytes.count - offset)
    }
  }
}
