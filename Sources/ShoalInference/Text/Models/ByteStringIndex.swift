// Finds byte strings by content, without an allocation per look-up: merging asks for every pair of
// neighbours in a text.

/// A set of distinct byte strings, each known by its position.
struct ByteStringIndex: Sendable {
  private(set) var strings: ByteStrings
  private(set) var longest = 0
  /// Positions by hash, with linear probing; -1 is free. Always less than half full.
  private var slots: [Int32]

  init(reserving capacity: Int = 0) {
    strings = ByteStrings()
    slots = Array(repeating: -1, count: Self.slotCount(for: capacity))
  }

  private static func slotCount(for strings: Int) -> Int {
    var count = 16
    while count < strings * 2 + 2 { count *= 2 }
    return count
  }

  /// The position of the bytes in `range` of `text`, or nil.
  func find(_ text: [UInt8], _ range: Range<Int>) -> Int? {
    guard range.count <= longest else { return nil }
    let slot = slot(of: text, range)
    return slots[slot] < 0 ? nil : Int(slots[slot])
  }

  func find(_ string: some Collection<UInt8>) -> Int? {
    let bytes = Array(string)
    return find(bytes, bytes.indices)
  }

  /// Adds a string and returns its position, or the position that it already has.
  mutating func insert(_ string: ArraySlice<UInt8>) -> (position: Int, isNew: Bool) {
    if (strings.count + 1) * 2 > slots.count { grow() }
    let bytes = Array(string)
    let slot = slot(of: bytes, bytes.indices)
    if slots[slot] >= 0 { return (Int(slots[slot]), false) }
    let position = strings.count
    append(string)
    slots[slot] = Int32(position)
    return (position, true)
  }

  /// Takes a position for a string that nobody should find.
  mutating func append(_ string: ArraySlice<UInt8>) {
    strings.append(string)
    longest = max(longest, string.count)
  }

  private mutating func grow() {
    slots = Array(repeating: -1, count: slots.count * 2)
    for position in strings.indices where !strings.range(position).isEmpty {
      let slot = slot(of: strings.storage, strings.range(position))
      if slots[slot] < 0 { slots[slot] = Int32(position) }
    }
  }

  /// Where the bytes are, or the free slot where they belong. The hash is seeded by the process,
  /// so that a vocabulary cannot be made to collide.
  private func slot(of text: [UInt8], _ range: Range<Int>) -> Int {
    unsafe text.withUnsafeBytes { text in
      let wanted = unsafe UnsafeRawBufferPointer(rebasing: text[range])
      var hasher = Hasher()
      unsafe hasher.combine(bytes: wanted)
      return unsafe strings.storage.withUnsafeBytes { storage in
        var slot = hasher.finalize() & (slots.count - 1)
        while slots[slot] >= 0 {
          let held = unsafe UnsafeRawBufferPointer(
            rebasing: storage[strings.range(Int(slots[slot]))])
          if unsafe held.count == wanted.count && held.elementsEqual(wanted) { break }
          slot = (slot + 1) & (slots.count - 1)
        }
        return slot
      }
    }
  }
}
