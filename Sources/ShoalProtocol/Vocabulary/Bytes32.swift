// 32 opaque bytes that compare, hash and print: the body of every id made by a hash or a key.

/// Exactly 32 bytes, ordered as an unsigned big-endian number.
public struct Bytes32: Hashable, Comparable, Sendable {
  let a: UInt64
  let b: UInt64
  let c: UInt64
  let d: UInt64

  public static let zero = Bytes32(a: 0, b: 0, c: 0, d: 0)

  private init(a: UInt64, b: UInt64, c: UInt64, d: UInt64) {
    (self.a, self.b, self.c, self.d) = (a, b, c, d)
  }

  /// Nil unless `bytes` has 32 elements.
  public init?(_ bytes: some Collection<UInt8>) {
    let contiguous = bytes.withContiguousStorageIfAvailable {
      unsafe Bytes32(UnsafeRawBufferPointer($0))
    }
    guard let value = contiguous ?? Bytes32(Array(bytes)) else { return nil }
    self = value
  }

  /// Nil unless there are 32 bytes. Allocates nothing: ids are read and written for each token.
  public init?(_ bytes: UnsafeRawBufferPointer) {
    guard bytes.count == 32 else { return nil }
    func word(_ offset: Int) -> UInt64 {
      UInt64(bigEndian: unsafe bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }
    self.init(a: word(0), b: word(8), c: word(16), d: word(24))
  }

  /// Writes the 32 bytes to the start of `room`.
  public func store(to room: UnsafeMutableRawBufferPointer) {
    precondition(room.count >= 32, "\(room.count) bytes for 32")
    unsafe room.storeBytes(of: a.bigEndian, toByteOffset: 0, as: UInt64.self)
    unsafe room.storeBytes(of: b.bigEndian, toByteOffset: 8, as: UInt64.self)
    unsafe room.storeBytes(of: c.bigEndian, toByteOffset: 16, as: UInt64.self)
    unsafe room.storeBytes(of: d.bigEndian, toByteOffset: 24, as: UInt64.self)
  }

  /// Nil unless `hex` is 64 hexadecimal digits.
  public init?(hex: some StringProtocol) {
    guard let bytes = Hex.decode(hex) else { return nil }
    self.init(bytes)
  }

  public var bytes: [UInt8] {
    unsafe [UInt8](unsafeUninitializedCapacity: 32) { buffer, count in
      unsafe store(to: UnsafeMutableRawBufferPointer(buffer))
      count = 32
    }
  }

  /// The first eight bytes as a number: a well-mixed seed where the bytes are a hash.
  public var prefix64: UInt64 { a }

  public var hex: String { Hex.encode(bytes) }

  public static func < (left: Bytes32, right: Bytes32) -> Bool {
    guard left.a == right.a else { return left.a < right.a }
    return (left.b, left.c, left.d) < (right.b, right.c, right.d)
  }

  /// Ids are hashes and keys: eight of their bytes spread as well as all of them.
  public func hash(into hasher: inout Hasher) { hasher.combine(a) }
}

/// Lower-case hexadecimal, two digits a byte.
public enum Hex {
  public static func encode(_ bytes: some Sequence<UInt8>) -> String {
    let digits = Array("0123456789abcdef".utf8)
    var text: [UInt8] = []
    for byte in bytes {
      text.append(digits[Int(byte >> 4)])
      text.append(digits[Int(byte & 15)])
    }
    return String(decoding: text, as: UTF8.self)
  }

  /// Nil for an odd length or a character that is no hexadecimal digit.
  public static func decode(_ text: some StringProtocol) -> [UInt8]? {
    let digits = Array(text.utf8)
    guard digits.count % 2 == 0 else { return nil }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(digits.count / 2)
    for index in stride(from: 0, to: digits.count, by: 2) {
      guard let high = value(digits[index]), let low = value(digits[index + 1]) else { return nil }
      bytes.append(high << 4 | low)
    }
    return bytes
  }

  private static func value(_ digit: UInt8) -> UInt8? {
    switch digit {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
    case _: nil
    }
  }
}
