// RLP, Ethereum's encoding of nested byte strings (Yellow Paper, appendix B). Read strictly: every
// item has exactly one encoding, and anything else is refused.

public import ShoalLedger

/// Why bytes are no RLP item. Offsets count from the first byte.
public enum RLPError: Error, Hashable, Sendable {
  case truncated(offset: Int, need: UInt64, have: Int)
  case trailing(bytes: Int)
  /// A shorter encoding of the same item exists.
  case notMinimal(offset: Int)
  case tooDeep(limit: Int, offset: Int)
  /// An item that should be a list, a byte string or a number is not.
  case shape(expected: String)
}

public indirect enum RLPItem: Hashable, Sendable {
  case bytes([UInt8])
  case list([RLPItem])

  /// How deep lists may lie in each other.
  public static let depthLimit = 64

  /// A number: big-endian, without leading zeros.
  public static func integer(_ value: UInt256) -> RLPItem { .bytes(value.minimalBytes) }
  public static func integer(_ value: UInt64) -> RLPItem { .integer(UInt256(value)) }

  public var encoded: [UInt8] {
    switch self {
    case .bytes(let bytes):
      if bytes.count == 1, bytes[0] < 0x80 { return bytes }
      return RLPItem.head(0x80, bytes.count) + bytes
    case .list(let items):
      let content = items.flatMap(\.encoded)
      return RLPItem.head(0xc0, content.count) + content
    }
  }

  private static func head(_ base: UInt8, _ count: Int) -> [UInt8] {
    if count < 56 { return [base + UInt8(count)] }
    let length = UInt256(UInt64(count)).minimalBytes
    return [base + 55 + UInt8(length.count)] + length
  }

  /// Reads one item and nothing after it.
  public init(decoding bytes: [UInt8]) throws(RLPError) {
    var reader = RLPReader(bytes: bytes)
    self = try reader.item(before: bytes.count, depth: 0)
    guard reader.position == bytes.count else {
      throw .trailing(bytes: bytes.count - reader.position)
    }
  }

  public func items() throws(RLPError) -> [RLPItem] {
    guard case .list(let items) = self else { throw .shape(expected: "a list") }
    return items
  }

  /// The members of a list that has `count`.
  public func items(_ count: Int) throws(RLPError) -> [RLPItem] {
    let items = try items()
    guard items.count == count else { throw .shape(expected: "a list of \(count)") }
    return items
  }

  public func string() throws(RLPError) -> [UInt8] {
    guard case .bytes(let bytes) = self else { throw .shape(expected: "bytes") }
    return bytes
  }

  public func number() throws(RLPError) -> UInt256 {
    let bytes = try string()
    guard bytes.first != 0, let number = UInt256(bigEndian: bytes) else {
      throw .shape(expected: "a number")
    }
    return number
  }

  public func number64() throws(RLPError) -> UInt64 {
    guard let number = UInt64(exactly: try number().low), try self.number().high == 0 else {
      throw .shape(expected: "a number of 64 bits")
    }
    return number
  }
}

/// A cursor over one encoding.
private struct RLPReader {
  let bytes: [UInt8]
  var position = 0

  /// The item that begins here and ends at `end` at the latest.
  mutating func item(before end: Int, depth: Int) throws(RLPError) -> RLPItem {
    guard depth < RLPItem.depthLimit else {
      throw .tooDeep(limit: RLPItem.depthLimit, offset: position)
    }
    let offset = position
    guard position < end else { throw .truncated(offset: offset, need: 1, have: 0) }
    let head = bytes[position]
    position += 1
    switch head {
    case 0..<0x80: return .bytes([head])
    case 0x80..<0xc0:
      let count = try length(head - 0x80, before: end)
      let content = Array(bytes[position..<position + count])
      if count == 1, content[0] < 0x80 { throw .notMinimal(offset: offset) }
      position += count
      return .bytes(content)
    case _:
      let stop = try length(head - 0xc0, before: end) + position
      var items: [RLPItem] = []
      while position < stop { items.append(try item(before: stop, depth: depth + 1)) }
      return .list(items)
    }
  }

  /// The content's length: `code` itself below 56, else in the next `code - 55` bytes.
  private mutating func length(_ code: UInt8, before end: Int) throws(RLPError) -> Int {
    var count = UInt64(code)
    if code > 55 {
      let digits = Int(code) - 55
      guard digits <= end - position else {
        throw .truncated(offset: position, need: UInt64(digits), have: end - position)
      }
      let field = bytes[position..<position + digits]
      count = field.reduce(0) { $0 << 8 | UInt64($1) }
      guard field.first != 0, count > 55 else { throw .notMinimal(offset: position) }
      position += digits
    }
    guard count <= UInt64(end - position) else {
      throw .truncated(offset: position, need: count, have: end - position)
    }
    return Int(count)
  }
}
