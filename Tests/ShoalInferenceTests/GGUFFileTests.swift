// What a sound GGUF file says, and how a damaged one is refused.

import ShoalInference
import ShoalProtocol
import Testing

@Suite struct GGUFFileTests {
  @Test func `every value type is read`() throws {
    let file = try GGUFFile(GGUFWriting.sound().source)
    let metadata = file.metadata
    #expect(try metadata.string("general.architecture") == "llama")
    #expect(metadata["general.count"] == .uint32(7))
    #expect(metadata["a.uint8"] == .uint8(200))
    #expect(metadata["a.int8"] == .int8(-1))
    #expect(metadata["a.uint16"] == .uint16(60_000))
    #expect(metadata["a.int16"] == .int16(-2))
    #expect(metadata["a.int32"] == .int32(-3))
    #expect(metadata["a.float32"] == .float32(0.5))
    #expect(metadata["a.bool"] == .bool(true))
    #expect(metadata["a.uint64"] == .uint64(.max))
    #expect(metadata["a.int64"] == .int64(-4))
    #expect(metadata["a.float64"] == .float64(0.25))
    #expect(try metadata.strings("a.strings").map(Array.init) == [[0x61], [], [0xff, 0xfe]])
    #expect(metadata["a.nested"] == .array(.arrays([.int16([-5, 6])])))
  }

  @Test func `tensors are found, whole or by row`() throws {
    let file = try GGUFFile(GGUFWriting.sound().source)
    let tensor = try #require(file.tensors["blk.0.weight"])
    #expect(tensor.type == .q4_0)
    #expect([tensor.rowLength, tensor.rows, tensor.rowBytes] == [32, 2, 18])
    #expect(tensor.byteCount == 36)
    #expect(file.tensorNames == ["blk.0.weight", "output_norm.weight"])
    let whole = try unsafe file.withTensor("output_norm.weight") { unsafe [UInt8]($0) }
    #expect(whole == (64..<88).map { UInt8($0) })
    let row = try unsafe file.withTensor("blk.0.weight", rows: 1..<2) { unsafe [UInt8]($0) }
    #expect(row == (18..<36).map { UInt8($0) })
    #expect(throws: GGUFError.self) {
      try unsafe file.withTensor("blk.0.weight", rows: 1..<3) { _ in () }
    }
  }

  @Test func `a key of another type is refused by name`() throws {
    let metadata = try GGUFFile(GGUFWriting.sound().source).metadata
    #expect(
      throws: GGUFError(
        file: "test.gguf", place: .key("general.architecture"), offset: 24,
        reason: .type(expected: "an integer", found: "a string"))
    ) { try metadata.integer("general.architecture") }
    #expect(
      throws: GGUFError(
        file: "test.gguf", place: .key("absent"), offset: nil, reason: .missing)
    ) { try metadata.bool("absent") }
    #expect(try metadata.boolIfPresent("absent") == nil)
  }

  @Test(arguments: GGUFDamage.all) func `one damaged field is refused with its numbers`(
    _ damage: GGUFDamage
  ) {
    var file = damage.base()
    damage.damage(&file)
    let error = #expect(throws: GGUFError.self) { try GGUFFile(file.source) }
    #expect(error?.reason == damage.reason)
    #expect(error?.file == "test.gguf")
    #expect(error?.offset != nil)
  }

  @Test func `a header with the largest vocabularies is read in under a second`() throws {
    var file = GGUFWriting.sound()
    let strings = (0..<262_144).map { Array("token\($0)".utf8) }
    file.entry("tokenizer.ggml.tokens", strings: strings)
    file.entry("tokenizer.ggml.merges", strings: strings)
    let source = file.source
    let clock = ContinuousClock()
    var read: ByteStrings?
    let time = try clock.measure {
      read = try GGUFFile(source).metadata.strings("tokenizer.ggml.tokens")
    }
    #expect(read?.count == strings.count)
    #expect(read?.last.map(Array.init) == strings.last)
    #expect(time < .seconds(1), "took \(time)")
  }

  @Test func `a file cut short anywhere is refused`() throws {
    let bytes = GGUFWriting.sound().bytes
    for length in 0..<bytes.count {
      let cut = MemoryByteSource(name: "cut", bytes: Array(bytes.prefix(length)))
      #expect(throws: GGUFError.self, "length \(length)") { try GGUFFile(cut) }
    }
  }

  @Test func `flipped header bytes give a refusal or a file within its bounds`() throws {
    let sound = GGUFWriting.sound().bytes
    var random = SeededGenerator(state: 0x5eed)
    var refused = 0
    for _ in 0..<4_000 {
      var bytes = sound
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        bytes[Int.random(in: 0..<bytes.count, using: &random)] ^=
          UInt8.random(in: 1...255, using: &random)
      }
      do {
        let file = try GGUFFile(MemoryByteSource(name: "flipped", bytes: bytes))
        for tensor in file.tensors.values {
          #expect(tensor.range.upperBound <= UInt64(bytes.count))
        }
      } catch {
        refused += 1
      }
    }
    #expect((1..<4_000).contains(refused))
  }
}

/// SplitMix64 (Steele, Lea and Flood, 2014).
struct SeededGenerator: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }
}
