// One way each in which a GGUF file can be wrong, and the refusal that names it.

import ShoalInference
import Testing

/// A sound file, what is done to it, and why it must then be refused.
struct GGUFDamage: Sendable, CustomTestStringConvertible {
  let testDescription: String
  let reason: GGUFError.Reason
  let base: @Sendable () -> GGUFWriting
  let damage: @Sendable (inout GGUFWriting) -> Void

  init(
    _ description: String, _ reason: GGUFError.Reason,
    base: @escaping @Sendable () -> GGUFWriting = { GGUFWriting.sound() },
    _ damage: @escaping @Sendable (inout GGUFWriting) -> Void
  ) {
    testDescription = description
    self.reason = reason
    self.base = base
    self.damage = damage
  }

  static let all: [GGUFDamage] = header + metadata + tensors

  static let header = [
    GGUFDamage("another magic", .notGGUF(magic: 0x6767_6d6c)) { $0.magic = 0x6767_6d6c },
    GGUFDamage("version 1", .version(1)) { $0.version = 1 },
    GGUFDamage("version 4", .version(4)) { $0.version = 4 },
    GGUFDamage("big-endian", .bigEndian(version: 3)) { $0.version = 0x0300_0000 },
    GGUFDamage(
      "2^63 tensors", .count(1 << 63, atMost: UInt64((GGUFWriting().bytes.count - 16) / 32)),
      base: { GGUFWriting() }
    ) { $0.tensorCount = 1 << 63 },
    GGUFDamage("2^63 entries", .count(1 << 63, atMost: 0), base: { GGUFWriting() }) {
      $0.metadataCount = 1 << 63
    },
  ]

  static let metadata = [
    GGUFDamage("a key twice", .duplicate(name: "general.count")) { $0.entry("general.count", 8) },
    GGUFDamage("a key that is not UTF-8", .notUTF8(field: "key")) {
      $0.entry([0x61, 0xff], type: 0, [0])
    },
    GGUFDamage("an unknown value type", .unknownValueType(13)) {
      $0.entry("b".utf8, type: 13, [0])
    },
    GGUFDamage("a boolean of 2", .notABoolean(2)) { $0.entry("b".utf8, type: 7, [2]) },
    GGUFDamage("alignment 48", .alignment(48)) { $0.entry("general.alignment", 48) },
    GGUFDamage("alignment 0", .alignment(0)) { $0.entry("general.alignment", 0) },
    GGUFDamage("arrays five deep", .tooDeep(limit: 4)) {
      let level = GGUFWriting.integer(UInt32(9)) + GGUFWriting.integer(UInt64(1))
      $0.entry("b".utf8, type: 9, level + level + level + level + level + level)
    },
    GGUFDamage("a string of 2^62 bytes", .truncated(need: 1 << 62, have: 0)) {
      $0 = GGUFWriting()
      $0.alignment = 1
      $0.entry("bb".utf8, type: 8, GGUFWriting.integer(UInt64(1) << 62))
    },
    GGUFDamage("an array of 2^60 strings", .count(1 << 60, atMost: 0)) {
      $0 = GGUFWriting()
      $0.alignment = 1
      $0.entry(
        "b".utf8, type: 9, GGUFWriting.integer(UInt32(8)) + GGUFWriting.integer(UInt64(1) << 60))
    },
  ]

  static let tensors = [
    GGUFDamage("a tensor twice", .duplicate(name: "blk.0.weight")) {
      $0.tensor("blk.0.weight", [1], type: 0, offset: 0)
    },
    GGUFDamage("no dimensions", .dimensionCount(0)) { $0.tensor("t", [], type: 0, offset: 0) },
    GGUFDamage("five dimensions", .dimensionCount(5)) {
      $0.tensor("t", [1, 1, 1, 1, 1], type: 0, offset: 0)
    },
    GGUFDamage("an empty dimension", .dimensions([4, 0])) {
      $0.tensor("t", [4, 0], type: 0, offset: 0)
    },
    GGUFDamage("dimensions that overflow", .dimensions([1 << 32, 1 << 32])) {
      $0.tensor("t", [1 << 32, 1 << 32], type: 0, offset: 0)
    },
    GGUFDamage("a withdrawn type", .unknownTensorType(4)) {
      $0.tensor("t", [32], type: 4, offset: 0)
    },
    GGUFDamage("a row that cuts a block", .rowLength(172, type: .q4_0)) {
      $0.tensor("t", [172, 4], type: 2, offset: 0)
    },
    GGUFDamage("an offset off the alignment", .unaligned(offset: 4, alignment: 32)) {
      $0.tensor("t", [1], type: 0, offset: 4)
    },
    GGUFDamage("an offset that overflows", .outOfFile(end: .max, fileBytes: 664)) {
      $0.tensor("t", [1], type: 0, offset: .max - 31)
    },
    GGUFDamage("two tensors at one place", .overlaps(tensor: "blk.0.weight")) {
      $0.tensor("t", [1], type: 0, offset: 32)
    },
  ]
}
