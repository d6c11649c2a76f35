// A small safetensors writer and a directory in memory, so that tests damage exactly one thing.

import ShoalInference
import ShoalProtocol

/// Bytes of a safetensors file in the making. What is stated is written, sound or not.
struct SafetensorsWriting: Sendable {
  struct Entry: Sendable {
    var name: String
    var dtype: String
    var shape: String
    var start: Int
    var end: Int
  }

  var entries: [Entry] = []
  /// Members in front of the tensors, as JSON.
  var metadata: String?
  /// The whole header, in place of what the entries give.
  var header: String?
  var headerBytes: UInt64?
  var weights: [UInt8] = []

  mutating func tensor(_ name: String, _ dtype: String, _ shape: [Int], _ bytes: [UInt8]) {
    entries.append(
      Entry(
        name: name, dtype: dtype, shape: "\(shape)", start: weights.count,
        end: weights.count + bytes.count))
    weights += bytes
  }

  mutating func floats(_ name: String, _ shape: [Int], _ values: [Float]) {
    var writer = ByteWriter()
    for value in values { writer.integer(value.bitPattern) }
    tensor(name, "F32", shape, writer.bytes)
  }

  var bytes: [UInt8] {
    let members =
      (metadata.map { ["\"__metadata__\":\($0)"] } ?? [])
      + entries.map { entry in
        "\"\(entry.name)\":{\"dtype\":\"\(entry.dtype)\",\"shape\":\(entry.shape),"
          + "\"data_offsets\":[\(entry.start),\(entry.end)]}"
      }
    let header = Array((header ?? "{\(members.joined(separator: ","))}").utf8)
    var writer = ByteWriter()
    writer.integer(headerBytes ?? UInt64(header.count))
    writer.raw(header)
    writer.raw(weights)
    return writer.bytes
  }

  var source: MemoryByteSource { MemoryByteSource(name: "test.safetensors", bytes: bytes) }

  /// Two matrices and a vector: 24 + 8 + 4 bytes of weights.
  static func sound() -> SafetensorsWriting {
    var file = SafetensorsWriting()
    file.metadata = "{\"format\":\"pt\"}"
    file.floats("a", [3, 2], [1, 2, 3, 4, 5, 6])
    file.tensor("b", "BF16", [2, 2], [0x80, 0x3f, 0x00, 0xc0, 0x00, 0x00, 0x80, 0xff])
    file.tensor("c", "F16", [2], [0x00, 0x3c, 0x00, 0xc0])
    return file
  }
}

/// Files by name.
struct MemoryModelDirectory: ModelDirectory {
  let name = "model"
  var files: [String: [UInt8]] = [:]

  init(_ files: [String: [UInt8]]) { self.files = files }

  func fileNames() -> [String] { files.keys.sorted() }

  func file(_ name: String) throws -> (any ByteSource)? {
    let path = try parts(ofName: name).joined(separator: "/")
    return files[path].map { MemoryByteSource(name: "model/\(path)", bytes: $0) }
  }
}
