// UTF-8 as characters with their kinds and places, found once for all that look at a text.

struct ScalarText: Sendable {
  private(set) var scalars: [UInt32] = []
  private(set) var kinds: [ScalarKind] = []
  /// Where each scalar starts in the UTF-8; one more than there are scalars.
  private(set) var offsets: [Int] = []

  var count: Int { scalars.count }

  /// Bytes that are no UTF-8 count as U+FFFD, one each.
  init(_ text: some Collection<UInt8>) {
    scalars.reserveCapacity(text.count)
    kinds.reserveCapacity(text.count)
    offsets.reserveCapacity(text.count + 1)
    let bytes = Array(text)
    var at = 0
    while at < bytes.count {
      let (scalar, length) = UTF8Form.scalar(bytes, at)
      scalars.append(scalar)
      kinds.append(ScalarKind.of(scalar))
      offsets.append(at)
      at += length
    }
    offsets.append(at)
  }
}

/// How UTF-8 spells characters.
enum UTF8Form {
  /// What a first byte says of the length of its character: 1 to 4; 1 for one that starts none.
  static func length(of first: UInt8) -> Int {
    switch first {
    case 0xf0...: 4
    case 0xe0...: 3
    case 0xc0...: 2
    case _: 1
    }
  }

  /// The character at `at`, and its length. U+FFFD of length 1 where there is none.
  static func scalar(_ bytes: [UInt8], _ at: Int) -> (scalar: UInt32, length: Int) {
    let first = bytes[at]
    guard first >= 0x80 else { return (UInt32(first), 1) }
    let length = length(of: first)
    guard length > 1, at + length <= bytes.count else { return (0xfffd, 1) }
    var value = UInt32(first) & (0x7f >> UInt32(length))
    for byte in bytes[at + 1..<at + length] {
      guard byte & 0xc0 == 0x80 else { return (0xfffd, 1) }
      value = value << 6 | UInt32(byte & 0x3f)
    }
    let smallest: [UInt32] = [0, 0, 0x80, 0x800, 0x10000]
    guard value >= smallest[length], Unicode.Scalar(value) != nil else { return (0xfffd, 1) }
    return (value, length)
  }

  static func append(_ scalar: UInt32, to bytes: inout [UInt8]) {
    guard let scalar = Unicode.Scalar(scalar) else { return }
    bytes += UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter
  }

  static func bytes(_ scalars: some Sequence<UInt32>) -> [UInt8] {
    var bytes: [UInt8] = []
    for scalar in scalars { append(scalar, to: &bytes) }
    return bytes
  }
}
