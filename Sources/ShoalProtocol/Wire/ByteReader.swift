// Reads little-endian fields from bytes that a stranger sent: typed errors, no trap, no allocation
// beyond what is left to read.

/// Why bytes were refused. Each case carries the numbers.
public enum WireError: Error, Hashable, Sendable {
  case truncated(need: Int, have: Int)
  case trailing(bytes: Int)
  case tooLong(field: String, limit: Int, announced: Int)
  case unknown(field: String, value: UInt64)
  case notUTF8(field: String)
  case invalid(field: String)
}

/// A cursor over bytes. All integers are little-endian.
public struct ByteReader: Sendable {
  private let bytes: ArraySlice<UInt8>
  private var position: Int

  public init(_ bytes: [UInt8]) { self.init(bytes[...]) }
  public init(_ bytes: ArraySlice<UInt8>) {
    self.bytes = bytes
    position = bytes.startIndex
  }

  public var remaining: Int { bytes.endIndex - position }

  public mutating func take(_ count: Int) throws(WireError) -> ArraySlice<UInt8> {
    guard count >= 0, count <= remaining else {
      throw .truncated(need: count, have: remaining)
    }
    defer { position += count }
    return bytes[position..<position + count]
  }

  public mutating func integer<I: FixedWidthInteger>(_: I.Type = I.self) throws(WireError) -> I {
    let field = try take(I.bitWidth / 8)
    var value: I = 0
    for index in field.indices.reversed() {
      value = value << 8 | I(truncatingIfNeeded: field[index])
    }
    return value
  }

  public mutating func bytes32() throws(WireError) -> Bytes32 {
    let field = try take(32)
    guard let value = Bytes32(field) else { throw .truncated(need: 32, have: field.count) }
    return value
  }

  public mutating func id<ID: Identifier>(_: ID.Type = ID.self) throws(WireError) -> ID {
    ID(try bytes32())
  }

  /// One byte, 0 or 1: two ways of saying yes would give one fact two hashes.
  public mutating func flag(_ field: String) throws(WireError) -> Bool {
    let value = try integer(UInt8.self)
    guard value <= 1 else { throw .unknown(field: field, value: UInt64(value)) }
    return value == 1
  }

  /// A `UInt32` length, then that many bytes; `limit` is checked before anything is copied.
  public mutating func blob(_ field: String, limit: Int) throws(WireError) -> [UInt8] {
    Array(try take(count(field, limit: limit)))
  }

  /// A `UInt32` length, then UTF-8.
  public mutating func string(_ field: String, limit: Int) throws(WireError) -> String {
    let bytes = try blob(field, limit: limit)
    guard let text = String(validating: bytes, as: UTF8.self) else { throw .notUTF8(field: field) }
    return text
  }

  /// A `UInt32` count of elements, at most `limit`.
  public mutating func count(_ field: String, limit: Int) throws(WireError) -> Int {
    let announced = Int(try integer(UInt32.self))
    guard announced <= limit else {
      throw .tooLong(field: field, limit: limit, announced: announced)
    }
    return announced
  }

  /// A counted list. Elements are read one by one, so that a lying count costs nothing.
  public mutating func list<Element>(
    _ field: String, limit: Int,
    _ element: (inout ByteReader) throws(WireError) -> Element
  ) throws(WireError) -> [Element] {
    let total = try count(field, limit: limit)
    var elements: [Element] = []
    // An element has a byte at least, and a lying count is found out soon.
    elements.reserveCapacity(min(total, remaining, 256))
    for _ in 0..<total { elements.append(try element(&self)) }
    return elements
  }

  /// Refuses bytes after the last field.
  public func finish() throws(WireError) {
    guard remaining == 0 else { throw .trailing(bytes: remaining) }
  }
}
