// A small GGUF writer, so that tests state what a file has and damage exactly one thing in it.

import ShoalInference
import ShoalProtocol

/// Bytes of a GGUF file in the making. What is stated is written, sound or not.
struct GGUFWriting {
  var magic: UInt32 = 0x4655_4747
  var version: UInt32 = 3
  var metadataCount: UInt64?
  var tensorCount: UInt64?
  private(set) var metadata: [[UInt8]] = []
  private(set) var tensors: [[UInt8]] = []
  var weights: [UInt8] = []
  var alignment = 32

  static func string(_ bytes: some Collection<UInt8>) -> [UInt8] {
    var writer = ByteWriter()
    writer.integer(UInt64(bytes.count))
    writer.raw(bytes)
    return writer.bytes
  }

  static func integer(_ value: some FixedWidthInteger) -> [UInt8] {
    var writer = ByteWriter()
    writer.integer(value)
    return writer.bytes
  }

  mutating func entry(_ key: some Collection<UInt8>, type: UInt32, _ value: [UInt8]) {
    metadata.append(Self.string(key) + Self.integer(type) + value)
  }
  mutating func entry(_ key: String, _ value: String) {
    entry(key.utf8, type: 8, Self.string(value.utf8))
  }
  mutating func entry(_ key: String, _ value: UInt32) {
    entry(key.utf8, type: 4, Self.integer(value))
  }
  mutating func entry(_ key: String, strings: [[UInt8]]) {
    let elements = strings.flatMap { Self.string($0) }
    entry(
      key.utf8, type: 9, Self.integer(UInt32(8)) + Self.integer(UInt64(strings.count)) + elements)
  }

  mutating func tensor(_ name: String, _ dimensions: [UInt64], type: UInt32, offset: UInt64) {
    tensors.append(
      Self.string(name.utf8) + Self.integer(UInt32(dimensions.count))
        + dimensions.flatMap { Self.integer($0) } + Self.integer(type) + Self.integer(offset))
  }

  var bytes: [UInt8] {
    var writer = ByteWriter()
    writer.integer(magic)
    writer.integer(version)
    writer.integer(tensorCount ?? UInt64(tensors.count))
    writer.integer(metadataCount ?? UInt64(metadata.count))
    for entry in metadata + tensors { writer.raw(entry) }
    writer.raw(
      [UInt8](repeating: 0, count: (alignment - writer.bytes.count % alignment) % alignment))
    writer.raw(weights)
    return writer.bytes
  }

  var source: MemoryByteSource { MemoryByteSource(name: "test.gguf", bytes: bytes) }

  /// Every value type, two tensors, 96 bytes of weights.
  static func sound() -> GGUFWriting {
    var file = GGUFWriting()
    file.entry("general.architecture", "llama")
    file.entry("general.count", 7)
    file.entry("a.uint8".utf8, type: 0, [200])
    file.entry("a.int8".utf8, type: 1, [0xff])
    file.entry("a.uint16".utf8, type: 2, integer(UInt16(60_000)))
    file.entry("a.int16".utf8, type: 3, integer(Int16(-2)))
    file.entry("a.int32".utf8, type: 5, integer(Int32(-3)))
    file.entry("a.float32".utf8, type: 6, integer(Float(0.5).bitPattern))
    file.entry("a.bool".utf8, type: 7, [1])
    file.entry("a.uint64".utf8, type: 10, integer(UInt64.max))
    file.entry("a.int64".utf8, type: 11, integer(Int64(-4)))
    file.entry("a.float64".utf8, type: 12, integer(Double(0.25).bitPattern))
    file.entry("a.strings", strings: [[0x61], [], [0xff, 0xfe]])
    let inner = integer(UInt32(3)) + integer(UInt64(2)) + integer(Int16(-5)) + integer(Int16(6))
    file.entry("a.nested".utf8, type: 9, integer(UInt32(9)) + integer(UInt64(1)) + inner)
    file.tensor("blk.0.weight", [32, 2], type: 2, offset: 0)
    file.tensor("output_norm.weight", [6], type: 0, offset: 64)
    file.weights = (0..<88).map { UInt8($0) }
    return file
  }
}
