// A tiny Llama of random weights as a GGUF file: real tensors, a real tokenizer, four kilobytes a
// matrix, so that a simulated mesh computes real tokens.

internal import ShoalInference
internal import ShoalProtocol

/// Follows from its seed. The shape is small in all directions, with more atoms than ranks.
struct OracleModel: Sendable {
  static let vocabulary = 96
  private static let hidden = 32
  private static let layers = 2
  private static let keyValueHeads = 4
  private static let headDimension = 8
  private static let feedForward = 128
  private static let words = ["<unk>", "<s>", "</s>"]

  private var metadata = ByteWriter()
  private var metadataCount: UInt64 = 0
  private var tensors: [(name: String, dimensions: [Int], bytes: [UInt8])] = []
  private var random: SeededGenerator

  /// The file's bytes.
  static func file(seed: UInt64) -> [UInt8] {
    var model = OracleModel(random: SeededGenerator(seed))
    model.describe()
    model.fill()
    return model.bytes
  }

  private init(random: SeededGenerator) { self.random = random }

  // MARK: Metadata

  private mutating func describe() {
    set("general.architecture", "llama")
    for (key, value) in [
      ("embedding_length", Self.hidden), ("block_count", Self.layers),
      ("attention.head_count", Self.keyValueHeads),
      ("attention.head_count_kv", Self.keyValueHeads),
      ("attention.key_length", Self.headDimension),
      ("attention.value_length", Self.headDimension),
      ("rope.dimension_count", Self.headDimension), ("feed_forward_length", Self.feedForward),
      ("context_length", 128),
    ] {
      begin("llama.\(key)", type: 4)
      metadata.integer(UInt32(value))
    }
    begin("llama.attention.layer_norm_rms_epsilon", type: 6)
    metadata.integer(Float(1e-5).bitPattern)
    set("tokenizer.ggml.model", "llama")
    begin("tokenizer.ggml.tokens", type: 9)
    metadata.integer(UInt32(8))
    metadata.integer(UInt64(Self.vocabulary))
    for token in 0..<Self.vocabulary {
      Self.write(
        token < Self.words.count ? Self.words[token] : "\u{2581}w\(token)", to: &metadata)
    }
    begin("tokenizer.ggml.token_type", type: 9)
    metadata.integer(UInt32(5))
    metadata.integer(UInt64(Self.vocabulary))
    for token in 0..<Self.vocabulary {
      metadata.integer(Int32(token == 0 ? 2 : token < Self.words.count ? 3 : 1))
    }
  }

  private mutating func set(_ key: String, _ text: String) {
    begin(key, type: 8)
    Self.write(text, to: &metadata)
  }

  private mutating func begin(_ key: String, type: UInt32) {
    metadataCount += 1
    Self.write(key, to: &metadata)
    metadata.integer(type)
  }

  // MARK: Weights

  private mutating func fill() {
    let width = Self.keyValueHeads * Self.headDimension
    matrix("token_embd", columns: Self.hidden, rows: Self.vocabulary)
    matrix("output", columns: Self.hidden, rows: Self.vocabulary)
    norm("output_norm")
    for layer in 0..<Self.layers {
      norm("blk.\(layer).attn_norm")
      norm("blk.\(layer).ffn_norm")
      for part in ["attn_q", "attn_k", "attn_v"] {
        matrix("blk.\(layer).\(part)", columns: Self.hidden, rows: width)
      }
      matrix("blk.\(layer).attn_output", columns: width, rows: Self.hidden)
      matrix("blk.\(layer).ffn_gate", columns: Self.hidden, rows: Self.feedForward)
      matrix("blk.\(layer).ffn_up", columns: Self.hidden, rows: Self.feedForward)
      matrix("blk.\(layer).ffn_down", columns: Self.feedForward, rows: Self.hidden)
    }
  }

  /// Of a variance that keeps activations near 1.
  private mutating func matrix(_ name: String, columns: Int, rows: Int) {
    let reach = (6 / Float(columns)).squareRoot()
    add(name, [columns, rows], count: columns * rows) { (unit: Float) in (2 * unit - 1) * reach }
  }

  private mutating func norm(_ name: String) {
    add(name, [Self.hidden], count: Self.hidden) { (unit: Float) in 0.75 + unit / 2 }
  }

  private mutating func add(
    _ name: String, _ dimensions: [Int], count: Int, _ value: (Float) -> Float
  ) {
    var writer = ByteWriter(reserving: count * 4)
    for _ in 0..<count {
      writer.integer(value(Float(random.next() >> 40) * 0x1p-24).bitPattern)
    }
    tensors.append((name + ".weight", dimensions, writer.bytes))
  }

  // MARK: The file (docs/gguf.md of ggml)

  private var bytes: [UInt8] {
    var writer = ByteWriter()
    writer.integer(UInt32(0x4655_4747))
    writer.integer(UInt32(3))
    writer.integer(UInt64(tensors.count))
    writer.integer(metadataCount)
    writer.raw(metadata.bytes)
    var offset = 0
    for tensor in tensors {
      Self.write(tensor.name, to: &writer)
      writer.integer(UInt32(tensor.dimensions.count))
      for dimension in tensor.dimensions { writer.integer(UInt64(dimension)) }
      writer.integer(UInt32(WeightFormat.f32.rawValue))
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
}
