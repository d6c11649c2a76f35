// Many short byte strings in one allocation: a vocabulary of 256k tokens is one array, not 256k.

/// An array of byte strings, which need not be UTF-8.
public struct ByteStrings: Hashable, Sendable {
  /// All strings, one after the other.
  public private(set) var storage: [UInt8] = []
  /// Where each string ends in `storage`.
  private var ends: [Int] = []

  public init() {}

  public init(_ strings: some Sequence<String>) {
    for string in strings { append(string.utf8) }
  }

  public mutating func append(_ string: some Collection<UInt8>) {
    storage.append(contentsOf: string)
    ends.append(storage.count)
  }

  public mutating func reserve(strings: Int) { ends.reserveCapacity(strings) }

  /// The range of a string in `storage`.
  public func range(_ position: Int) -> Range<Int> {
    (position == 0 ? 0 : ends[position - 1])..<ends[position]
  }
}

extension ByteStrings: RandomAccessCollection {
  public var startIndex: Int { 0 }
  public var endIndex: Int { ends.count }
  public subscript(position: Int) -> ArraySlice<UInt8> { storage[range(position)] }
}
