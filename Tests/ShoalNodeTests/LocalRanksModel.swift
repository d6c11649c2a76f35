// Small Llamas of random weights, written as GGUF files, so that tests need no data but their own.

import ShoalInference
import ShoalProtocol

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

/// The shape of a Llama and how its weights are stored.
struct TinyLlama: Sendable, CustomStringConvertible {
  let description: String
  var hidden = 64
  var layers = 2
  var keyValueHeads: Int
  var headsPerGroup: Int
  var headDimension: Int
  var feedForward: Int
  var vocabulary: Int
  var isTied = false
  var format: WeightFormat
  /// Of the feed-forward's down projection, whose width need not be a multiple of 32.
  var downFormat: WeightFormat

  /// What can go wrong at a boundary goes wrong in one of these: weight blocks that straddle heads
  /// of 8, 24 and 80, a feed-forward of several blocks with a tail, a vocabulary block of one row.
  static let all = blocksOf32 + superBlocks

  /// Formats with blocks of 32 columns, and float formats.
  static let blocksOf32 = [
    TinyLlama(
      description: "f32, head 24, FFN 1300, vocabulary 8193", keyValueHeads: 4, headsPerGroup: 3,
      headDimension: 24, feedForward: 1_300, vocabulary: 8_193, format: .f32, downFormat: .f32),
    TinyLlama(
      description: "f16, head 8, FFN 172", keyValueHeads: 4, headsPerGroup: 2, headDimension: 8,
      feedForward: 172, vocabulary: 515, format: .f16, downFormat: .f16),
    TinyLlama(
      description: "q8_0, head 24, FFN 1300 in f16", hidden: 96, keyValueHeads: 4,
      headsPerGroup: 3, headDimension: 24, feedForward: 1_300, vocabulary: 515, format: .q8_0,
      downFormat: .f16),
    TinyLlama(
      description: "q8_0, head 8, FFN 96, tied", keyValueHeads: 8, headsPerGroup: 1,
      headDimension: 8, feedForward: 96, vocabulary: 515, isTied: true, format: .q8_0,
      downFormat: .q8_0),
    TinyLlama(
      description: "q4_0, head 80, FFN 1184, tied", keyValueHeads: 2, headsPerGroup: 2,
      headDimension: 80, feedForward: 1_184, vocabulary: 300, isTied: true, format: .q4_0,
      downFormat: .q4_0),
    TinyLlama(
      description: "q4_0, head 24, FFN 160 in f16", keyValueHeads: 4, headsPerGroup: 1,
      headDimension: 24, feedForward: 160, vocabulary: 300, format: .q4_0, downFormat: .f16),
    TinyLlama(
      description: "bf16, head 24, FFN 172", layers: 1, keyValueHeads: 2, headsPerGroup: 2,
      headDimension: 24, feedForward: 172, vocabulary: 300, format: .bf16, downFormat: .bf16),
    TinyLlama(
      description: "q4_1, head 24, FFN 1184", layers: 1, keyValueHeads: 4, headsPerGroup: 1,
      headDimension: 24, feedForward: 1_184, vocabulary: 300, format: .q4_1, downFormat: .q4_1),
    TinyLlama(
      description: "q5_0, head 8, FFN 96, tied", layers: 1, keyValueHeads: 4, headsPerGroup: 2,
      headDimension: 8, feedForward: 96, vocabulary: 300, isTied: true, format: .q5_0,
      downFormat: .q5_0),
    TinyLlama(
      description: "q5_1, head 80, FFN 160 in q8_0", layers: 1, keyValueHeads: 2,
      headsPerGroup: 2, headDimension: 80, feedForward: 160, vocabulary: 300, format: .q5_1,
      downFormat: .q8_0),
    TinyLlama(
      description: "iq4_nl, head 12, FFN 96", layers: 1, keyValueHeads: 4, headsPerGroup: 2,
      headDimension: 12, feedForward: 96, vocabulary: 300, format: .iq4_nl, downFormat: .iq4_nl),
  ]

  /// Rows of whole super-blocks of 256, which heads of 8 to 96 and feed-forward blocks of 32 cut.
  static let superBlocks = [
    TinyLlama(
      description: "q4_K, head 96, FFN 768 in q6_K", hidden: 256, layers: 1, keyValueHeads: 2,
      headsPerGroup: 4, headDimension: 96, feedForward: 768, vocabulary: 300, format: .q4_K,
      downFormat: .q6_K),
    TinyLlama(
      description: "q6_K, head 24, FFN 1280", hidden: 256, layers: 1, keyValueHeads: 4,
      headsPerGroup: 8, headDimension: 24, feedForward: 1_280, vocabulary: 300, format: .q6_K,
      downFormat: .q6_K),
    TinyLlama(
      description: "q5_K, head 80, FFN 256, tied", hidden: 256, layers: 1, keyValueHeads: 2,
      headsPerGroup: 8, headDimension: 80, feedForward: 256, vocabulary: 300, isTied: true,
      format: .q5_K, downFormat: .q5_K),
    TinyLlama(
      description: "q2_K, head 12, FFN 512", hidden: 256, layers: 1, keyValueHeads: 8,
      headsPerGroup: 8, headDimension: 12, feedForward: 512, vocabulary: 300, format: .q2_K,
      downFormat: .q2_K),
    TinyLlama(
      description: "q3_K, head 64, FFN 256", hidden: 256, layers: 1, keyValueHeads: 2,
      headsPerGroup: 2, headDimension: 64, feedForward: 256, vocabulary: 300, format: .q3_K,
      downFormat: .q3_K),
    TinyLlama(
      description: "iq4_xs, head 8, FFN 256 in bf16", hidden: 256, layers: 1, keyValueHeads: 4,
      headsPerGroup: 8, headDimension: 8, feedForward: 256, vocabulary: 300, format: .iq4_xs,
      downFormat: .bf16),
  ]

  /// The smallest, for tests of what is not arithmetic.
  static let smallest = TinyLlama(
    description: "q8_0", hidden: 32, keyValueHeads: 2, headsPerGroup: 1, headDimension: 16,
    feedForward: 64, vocabulary: 64, format: .q8_0, downFormat: .q8_0)

  func file(seed: UInt64 = 1) throws -> GGUFModelFile {
    var file = GGUFModelFile()
    addMetadata(to: &file)
    var random = SeededGenerator(state: seed)
    let heads = keyValueHeads * headsPerGroup
    try add("token_embd.weight", columns: hidden, rows: vocabulary, to: &file, &random)
    if !isTied { try add("output.weight", columns: hidden, rows: vocabulary, to: &file, &random) }
    file.norm("output_norm.weight", hidden, &random)
    for layer in 0..<layers {
      let name = { (part: String) in "blk.\(layer).\(part).weight" }
      file.norm(name("attn_norm"), hidden, &random)
      file.norm(name("ffn_norm"), hidden, &random)
      for (part, columns, rows) in [
        ("attn_q", hidden, heads * headDimension),
        ("attn_k", hidden, keyValueHeads * headDimension),
        ("attn_v", hidden, keyValueHeads * headDimension),
        ("attn_output", heads * headDimension, hidden),
        ("ffn_gate", hidden, feedForward), ("ffn_up", hidden, feedForward),
        ("ffn_down", feedForward, hidden),
      ] {
        try add(name(part), columns: columns, rows: rows, to: &file, &random)
      }
    }
    return file
  }

  private func addMetadata(to file: inout GGUFModelFile) {
    file.set("general.architecture", .string("llama"))
    file.set("llama.embedding_length", .uint32(hidden))
    file.set("llama.block_count", .uint32(layers))
    file.set("llama.attention.head_count", .uint32(keyValueHeads * headsPerGroup))
    file.set("llama.attention.head_count_kv", .uint32(keyValueHeads))
    file.set("llama.attention.key_length", .uint32(headDimension))
    file.set("llama.attention.value_length", .uint32(headDimension))
    file.set("llama.rope.dimension_count", .uint32(headDimension))
    file.set("llama.feed_forward_length", .uint32(feedForward))
    file.set("llama.context_length", .uint32(256))
    file.set("llama.attention.layer_norm_rms_epsilon", .float32(1e-5))
    addVocabulary(to: &file)
  }

  func addVocabulary(to file: inout GGUFModelFile) {
    file.set("tokenizer.ggml.model", .string("llama"))
    let words = (0..<vocabulary).map { token in
      ["<unk>", "<s>", "</s>"].indices.contains(token)
        ? ["<unk>", "<s>", "</s>"][token] : "\u{2581}w\(token)"
    }
    file.set("tokenizer.ggml.tokens", .strings(words))
    let types = (0..<vocabulary).map { $0 == 0 ? 2 : $0 < 3 ? 3 : 1 }
    file.set("tokenizer.ggml.token_type", .int32s(types))
  }

  /// Weights of a variance that keeps activations near 1.
  private func add(
    _ name: String, columns: Int, rows: Int, to file: inout GGUFModelFile,
    _ random: inout SeededGenerator
  ) throws {
    let format = name.contains("ffn_down") ? downFormat : format
    let reach = (6 / Float(columns)).squareRoot()
    if let blocks = RandomBlocks(format) {
      file.tensors.append(
        .init(
          name: name, dimensions: [columns, rows], type: UInt32(format.rawValue),
          bytes: blocks.bytes(elements: columns * rows, deviation: reach / 1.75, &random)))
      return
    }
    var values: [Float] = []
    values.reserveCapacity(columns * rows)
    for _ in 0..<columns * rows {
      values.append((Float(random.next() >> 40) * 0x1p-23 - 1) * reach)
    }
    file.tensors.append(
      .init(
        name: name, dimensions: [columns, rows], type: UInt32(format.rawValue),
        bytes: try WeightQuantizer.quantize(values, to: format)))
  }
}

/// A GGUF file in the making: what is stated is written, sound or not.
struct GGUFModelFile: Sendable {
  enum Value: Sendable {
    case string(String)
    case uint32(Int)
    case uint64(UInt64)
    case int32(Int)
    case float32(Float)
    case strings([String])
    case int32s([Int])
  }
  struct Tensor: Sendable {
    var name: String
    var dimensions: [Int]
    var type: UInt32
    var bytes: [UInt8]
  }

  var metadata: [(key: String, value: Value)] = []
  var tensors: [Tensor] = []

  mutating func set(_ key: String, _ value: Value) {
    metadata.removeAll { $0.key == key }
    metadata.append((key, value))
  }
  mutating func remove(_ key: String) { metadata.removeAll { $0.key == key } }

  mutating func norm(_ name: String, _ count: Int, _ random: inout SeededGenerator) {
    let values = (0..<count).map { _ in 0.75 + Float(random.next() >> 40) * 0x1p-25 }
    tensors.append(
      .init(name: name, dimensions: [count], type: 0, bytes: Self.floats(values)))
  }

  /// Changes one tensor by name; the test is wrong where there is none.
  mutating func change(_ name: String, _ body: (inout Tensor) -> Void) {
    for index in tensors.indices where tensors[index].name == name { body(&tensors[index]) }
  }

  static func floats(_ values: [Float]) -> [UInt8] {
    var writer = ByteWriter(reserving: values.count * 4)
    for value in values { writer.integer(value.bitPattern) }
    return writer.bytes
  }

  var bytes: [UInt8] {
    var writer = ByteWriter()
    writer.integer(UInt32(0x4655_4747))
    writer.integer(UInt32(3))
    writer.integer(UInt64(tensors.count))
    writer.integer(UInt64(metadata.count))
    for (key, value) in metadata {
      Self.write(key, to: &writer)
      Self.write(value, to: &writer)
    }
    var offset = 0
    for tensor in tensors {
      Self.write(tensor.name, to: &writer)
      writer.integer(UInt32(tensor.dimensions.count))
      for dimension in tensor.dimensions { writer.integer(UInt64(dimension)) }
      writer.integer(tensor.type)
      writer.integer(UInt64(offset))
      offset += (tensor.bytes.count + 31) / 32 * 32
    }
    Self.pad(&writer)
    for tensor in tensors {
      writer.raw(tensor.bytes)
      Self.pad(&writer)
    }
    return writer.bytes
  }

  private static func pad(_ writer: inout ByteWriter) {
    while writer.bytes.count % 32 != 0 { writer.integer(UInt8(0)) }
  }

  private static func write(_ text: String, to writer: inout ByteWriter) {
    writer.integer(UInt64(text.utf8.count))
    writer.raw(text.utf8)
  }

  private static func write(_ value: Value, to writer: inout ByteWriter) {
    switch value {
    case .string(let text):
      writer.integer(UInt32(8))
      write(text, to: &writer)
    case .uint32(let number):
      writer.integer(UInt32(4))
      writer.integer(UInt32(number))
    case .uint64(let number):
      writer.integer(UInt32(10))
      writer.integer(number)
    case .int32(let number):
      writer.integer(UInt32(5))
      writer.integer(Int32(number))
    case .float32(let number):
      writer.integer(UInt32(6))
      writer.integer(number.bitPattern)
    case .strings(let strings):
      writer.integer(UInt32(9))
      writer.integer(UInt32(8))
      writer.integer(UInt64(strings.count))
      for string in strings { write(string, to: &writer) }
    case .int32s(let numbers):
      writer.integer(UInt32(9))
      writer.integer(UInt32(5))
      writer.integer(UInt64(numbers.count))
      for number in numbers { writer.integer(Int32(number)) }
    }
  }
}
