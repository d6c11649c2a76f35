// Safetensors: what is read, what is refused and by which words, and what joins shards.

import ShoalInference
import ShoalProtocol
import Testing

@Suite struct SafetensorsTests {
  @Test func `tensors are read with shape, dtype and place`() throws {
    let file = try SafetensorsFile(SafetensorsWriting.sound().source)
    #expect(file.tensors.map(\.name) == ["a", "b", "c"])
    #expect(file.tensors.map(\.dtype) == [.f32, .bf16, .f16])
    #expect(file.tensors.map(\.rows) == [3, 2, 1])
    #expect(file.tensors.map(\.columns) == [2, 2, 2])
    #expect(file.metadata == ["format": "pt"])
    let row = try unsafe file.withRows(1..<2, of: file.tensors[1]) { unsafe Array($0) }
    #expect(row == [0x00, 0x00, 0x80, 0xff])
    #expect(throws: SafetensorsError.self) {
      try unsafe file.withRows(1..<3, of: file.tensors[1]) { _ in }
    }
  }

  @Test func `a single number and an empty tensor have their place`() throws {
    var file = SafetensorsWriting()
    file.floats("number", [], [7])
    file.tensor("nothing", "F32", [0, 5], [])
    let read = try SafetensorsFile(file.source)
    #expect(read.tensors.map { [$0.rows, $0.columns] } == [[1, 1], [0, 5]])
  }

  @Test(arguments: SafetensorsDamage.all)
  func `damage is refused by tensor and number`(_ damage: SafetensorsDamage) throws {
    var file = SafetensorsWriting.sound()
    damage.damage(&file)
    let error = #expect(throws: SafetensorsError.self) { try SafetensorsFile(file.source) }
    #expect(
      error
        == SafetensorsError(
          file: "test.safetensors", tensor: damage.tensor, reason: damage.reason))
  }

  @Test func `a file cut short anywhere is refused`() {
    let bytes = SafetensorsWriting.sound().bytes
    for length in 0..<bytes.count {
      let cut = MemoryByteSource(name: "cut", bytes: Array(bytes.prefix(length)))
      #expect(throws: SafetensorsError.self, "length \(length)") { try SafetensorsFile(cut) }
    }
  }

  /// Whatever a header says, it is read or refused; what is read lies inside of the file.
  @Test func `no byte of a header that is changed makes a tensor leave the file`() throws {
    let sound = SafetensorsWriting.sound().bytes
    var read = 0
    for position in 0..<sound.count - 36 {
      for change in [0x00, 0x01, 0x08, 0x20, 0x30, 0x39, 0x7f, 0xff] as [UInt8] {
        var bytes = sound
        bytes[position] ^= change
        let source = MemoryByteSource(name: "changed", bytes: bytes)
        guard let file = try? SafetensorsFile(source) else { continue }
        read += 1
        for tensor in file.tensors {
          #expect(tensor.range.upperBound <= source.byteCount)
        }
      }
    }
    #expect(read > 0 && read < (sound.count - 36) * 8)
  }
}

@Suite struct SafetensorsCheckpointTests {
  private static func shards(
    map: String = "{\"a\":\"x.safetensors\",\"d\":\"y.safetensors\"}"
  ) -> [String: [UInt8]] {
    var second = SafetensorsWriting()
    second.floats("d", [1, 2], [7, 8])
    return [
      "x.safetensors": SafetensorsWriting.sound().bytes, "y.safetensors": second.bytes,
      "model.safetensors.index.json": Array("{\"weight_map\":\(map)}".utf8),
    ]
  }

  @Test func `shards are one set of tensors, as the index names them`() throws {
    let checkpoint = try SafetensorsCheckpoint(MemoryModelDirectory(Self.shards()))
    #expect(checkpoint.tensorNames == ["a", "d"])
    #expect(try checkpoint.floats("d") == [7, 8])
    #expect(try checkpoint.floats("a") == [1, 2, 3, 4, 5, 6])
    #expect(try checkpoint.tensor("b") == nil)
  }

  @Test func `F32, BF16 and F16 are lent as they are stored`() throws {
    let directory = MemoryModelDirectory(["model.safetensors": SafetensorsWriting.sound().bytes])
    let checkpoint = try SafetensorsCheckpoint(directory)
    #expect(try checkpoint.floats("b") == [1, -2, 0, -.infinity])
    #expect(try ["a", "b", "c"].map { try checkpoint.required($0).format } == [.f32, .bf16, .f16])
    #expect(try checkpoint.floats("c") == [1, -2])
  }

  @Test(arguments: [
    (
      "{\"a\":\"z.safetensors\"}", nil,
      SafetensorsError.Reason.missingShard("z.safetensors")
    ),
    (
      "{\"a\":\"x.safetensors\",\"c\":\"y.safetensors\",\"d\":\"y.safetensors\"}", "c",
      .notInShard("y.safetensors", foundIn: "x.safetensors")
    ),
    ("{\"q\":\"x.safetensors\"}", "q", .notInShard("x.safetensors", foundIn: nil)),
  ])
  func `an index that names what is not there is refused`(
    _ map: String, _ tensor: String?, _ reason: SafetensorsError.Reason
  ) {
    let error = #expect(throws: SafetensorsError.self) {
      try SafetensorsCheckpoint(MemoryModelDirectory(Self.shards(map: map)))
    }
    #expect(error?.reason == reason)
    #expect(error?.tensor == tensor)
    #expect(error?.file == "model/model.safetensors.index.json")
  }

  @Test(arguments: [
    "../x.safetensors", "/etc/passwd", "a/../../b", "", "x\\y", "a//b", "./x", "a\u{0}b",
  ])
  func `a shard by a name that leads elsewhere is refused`(_ name: String) {
    var files = Self.shards()
    let escaped = name.unicodeScalars.map { scalar in
      scalar == "\\" ? "\\\\" : scalar.value < 0x20 ? "\\u0000" : String(scalar)
    }.joined()
    files["model.safetensors.index.json"] = Array(
      "{\"weight_map\":{\"a\":\"\(escaped)\"}}".utf8)
    #expect(throws: ModelDirectoryError.badName(name, directory: "model")) {
      try SafetensorsCheckpoint(MemoryModelDirectory(files))
    }
  }

  @Test func `a dtype that is not computed with is refused by name, the rest can be read`() throws {
    var file = SafetensorsWriting.sound()
    file.tensor("eight", "F8_E4M3", [4], [1, 2, 3, 4])
    let checkpoint = try SafetensorsCheckpoint(
      MemoryModelDirectory(["model.safetensors": file.bytes]))
    #expect(throws: ModelError.unsupportedFormat(tensor: "eight", format: "F8_E4M3")) {
      try checkpoint.tensor("eight")
    }
    #expect(try checkpoint.floats("a").count == 6)
  }

  @Test func `weights that are only a pickle are refused as such`() {
    #expect(throws: ModelDirectoryError.onlyPickles("pytorch_model.bin", directory: "model")) {
      try SafetensorsCheckpoint(MemoryModelDirectory(["pytorch_model.bin": [1]]))
    }
    #expect(throws: ModelDirectoryError.missing("model.safetensors", directory: "model")) {
      try SafetensorsCheckpoint(MemoryModelDirectory([:]))
    }
  }
}
