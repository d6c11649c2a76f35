// Writes little-endian fields: the mirror of ByteReader.

/// Appends fields to a byte array. Every integer is little-endian.
public struct ByteWriter: Sendable {
  public private(set) var bytes: [UInt8] = []

  public init(reserving capacity: Int = 0) { bytes.reserveCapacity(capacity) }

  public mutating func integer(_ value: some FixedWidthInteger) {
    unsafe withUnsafeBytes(of: value.littleEndian) { unsafe bytes.append(contentsOf: $0) }
  }
  /// One byte, 0 or 1.
  public mutating func flag(_ value: Bool) { integer(UInt8(value ? 1 : 0)) }
  public mutating func raw(_ field: some Sequence<UInt8>) { bytes.append(contentsOf: field) }
  public mutating func id(_ id: some Identifier) { raw(id.raw.bytes) }

  /// A `UInt32` length, then the bytes.
  public mutating func blob(_ field: some Collection<UInt8>) {
    integer(UInt32(field.count))
    raw(field)
  }
  /// A `UInt32` length, then UTF-8.
  public mutating func string(_ text: String) { blob(Array(text.utf8)) }

  /// A `UInt32` count, then the elements.
  public mutating func list<Element>(
    _ elements: some Collection<Element>, _ write: (inout ByteWriter, Element) -> Void
  ) {
    integer(UInt32(elements.count))
    for element in elements { write(&self, element) }
  }
}
