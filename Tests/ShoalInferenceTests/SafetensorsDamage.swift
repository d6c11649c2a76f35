// One way each in which safetensors can be wrong, and the refusal that names it.

import ShoalInference
import ShoalProtocol
import Testing

/// A sound file, what is done to it, and why it must then be refused.
struct SafetensorsDamage: Sendable, CustomTestStringConvertible {
  let testDescription: String
  let tensor: String?
  let reason: SafetensorsError.Reason
  let damage: @Sendable (inout SafetensorsWriting) -> Void

  init(
    _ description: String, _ tensor: String?, _ reason: SafetensorsError.Reason,
    _ damage: @escaping @Sendable (inout SafetensorsWriting) -> Void
  ) {
    testDescription = description
    self.tensor = tensor
    self.reason = reason
    self.damage = damage
  }

  static let all: [SafetensorsDamage] = headers + tensors + places

  static let headers = [
    SafetensorsDamage(
      "a header of 2^62 bytes", nil,
      .headerBytes(1 << 62, limit: Limits.safetensorsHeaderBytes)
    ) { $0.headerBytes = 1 << 62 },
    SafetensorsDamage("a header longer than the file", nil, .truncated(need: 1_008, have: 50)) {
      $0 = SafetensorsWriting()
      $0.header = "{}"
      $0.headerBytes = 1_000
      $0.weights = Array(repeating: 0, count: 40)
    },
    SafetensorsDamage("no JSON", nil, .json(.truncated(offset: 1))) {
      $0.header = "{"
      $0.weights = []
    },
    SafetensorsDamage(
      "a list", nil, .json(.type(path: "header", wanted: "an object", found: "an array"))
    ) { $0.header = "[]" },
    SafetensorsDamage(
      "metadata that is no text", nil,
      .json(.type(path: "header.__metadata__.n", wanted: "a string", found: "an integer"))
    ) { $0.metadata = "{\"n\":1}" },
    SafetensorsDamage("a name twice", nil, .json(.duplicate(key: "a", offset: 172))) {
      $0.metadata = nil
      $0.entries.append($0.entries[0])
    },
  ]

  static let tensors = [
    SafetensorsDamage("an unknown dtype", "a", .unknownDtype("F7")) { $0.entries[0].dtype = "F7" },
    SafetensorsDamage(
      "another dtype than the bytes", "a", .byteCount(needed: 12, stated: 24)
    ) { $0.entries[0].dtype = "F16" },
    SafetensorsDamage("another shape than the bytes", "a", .byteCount(needed: 36, stated: 24)) {
      $0.entries[0].shape = "[3,3]"
    },
    SafetensorsDamage("a shape that overflows", "a", .shape([1 << 40, 1 << 40])) {
      $0.entries[0].shape = "[\(1 << 40),\(1 << 40)]"
    },
    SafetensorsDamage("nine dimensions", "a", .shape([1, 1, 1, 1, 1, 1, 1, 3, 2])) {
      $0.entries[0].shape = "[1,1,1,1,1,1,1,3,2]"
    },
    SafetensorsDamage(
      "a negative dimension", "a",
      .json(
        .value(
          path: "header.a.shape[0]", wanted: "0...9223372036854775807", found: "-3"))
    ) { $0.entries[0].shape = "[-3,2]" },
    SafetensorsDamage(
      "a broken dimension", "a",
      .json(.type(path: "header.a.shape[0]", wanted: "an integer", found: "a number"))
    ) { $0.entries[0].shape = "[1.5,2]" },
    SafetensorsDamage(
      "no dtype", "a", .json(.missing(path: "header.a.dtype"))
    ) { $0.header = "{\"a\":{\"shape\":[9],\"data_offsets\":[0,36]}}" },
  ]

  static let places = [
    SafetensorsDamage("weights past the end", "c", .outOfFile(end: 36, weights: 35)) {
      $0.weights.removeLast()
    },
    SafetensorsDamage("offsets near 2^63", "a", .outOfFile(end: 1 << 62, weights: 36)) {
      $0.entries[0].end = 1 << 62
    },
    SafetensorsDamage("offsets turned around", "b", .offsets(start: 32, end: 24)) {
      ($0.entries[1].start, $0.entries[1].end) = (32, 24)
    },
    SafetensorsDamage("two tensors at one place", "b", .overlaps(tensor: "a")) {
      ($0.entries[1].start, $0.entries[1].end) = (16, 24)
    },
    SafetensorsDamage("bytes of no tensor in the middle", nil, .hole(24..<32)) {
      $0.entries.remove(at: 1)
    },
    SafetensorsDamage("bytes of no tensor in front", nil, .hole(0..<24)) {
      $0.entries.removeFirst()
    },
    SafetensorsDamage("bytes of no tensor at the end", nil, .hole(36..<37)) {
      $0.weights.append(7)
    },
  ]
}
