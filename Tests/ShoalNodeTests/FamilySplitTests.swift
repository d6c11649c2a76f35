// Every family that is declared, at a shape that divides badly, with random weights: whatever its
// parts are, dealing them must not change a bit.

import ShoalInference
import ShoalNode
import ShoalProtocol
import Testing

@Suite struct FamilySplitTests {
  static let names = Architecture.all.flatMap(\.gguf)

  /// One layer in six of Gemma 3 sees everything.
  private static func layers(_ family: String) -> Int { family == "gemma3" ? 6 : 4 }

  /// Odd numbers of heads, groups and experts, heads of 24, feed-forwards of several blocks and a
  /// tail.
  static func file(_ family: String) throws -> GGUFModelFile {
    var file = GGUFModelFile()
    file.set("general.architecture", .string(family))
    let groups = ["falcon": 1, "gptneox": 6, "gpt2": 6][family] ?? 2
    for (key, value) in [
      ("embedding_length", 144), ("block_count", layers(family)), ("attention.head_count", 6),
      ("attention.head_count_kv", groups), ("attention.key_length", 24),
      ("attention.value_length", 24), ("rope.dimension_count", 16), ("context_length", 128),
      ("feed_forward_length", 172), ("attention.sliding_window", 5),
    ] { file.set("\(family).\(key)", .uint32(value)) }
    file.set("\(family).attention.layer_norm_epsilon", .float32(1e-5))
    file.set("\(family).attention.layer_norm_rms_epsilon", .float32(1e-5))
    if family.hasSuffix("moe") {
      file.set("\(family).expert_count", .uint32(5))
      file.set("\(family).expert_used_count", .uint32(2))
      file.set("\(family).expert_feed_forward_length", .uint32(40))
      file.set("\(family).expert_shared_feed_forward_length", .uint32(72))
    }
    // Three blocks of channels and a short one.
    for (key, value) in [
      ("inner_size", 200), ("state_size", 5), ("conv_kernel", 4), ("time_step_rank", 9),
    ] where family == "mamba" { file.set("mamba.ssm.\(key)", .uint32(value)) }
    if family == "gemma2" {
      file.set("gemma2.attn_logit_softcapping", .float32(2))
      file.set("gemma2.final_logit_softcapping", .float32(1.5))
    }
    if family == "granite" {
      file.set("granite.embedding_scale", .float32(3))
      file.set("granite.residual_scale", .float32(0.5))
      file.set("granite.logit_scale", .float32(4))
      file.set("granite.attention.scale", .float32(0.2))
    }
    var tokens = TinyLlama.smallest
    tokens.vocabulary = 300
    tokens.addVocabulary(to: &file)
    try addTensors(of: family, to: &file)
    return file
  }

  /// One random tensor for each that the family declares, biases included.
  private static func addTensors(of family: String, to file: inout GGUFModelFile) throws {
    var random = SeededGenerator(state: 3)
    // Of these the shape itself is read.
    add("token_embd.weight", rows: 300, columns: 144, to: &file, &random)
    if family == "bert" { add("position_embd.weight", rows: 128, columns: 144, to: &file, &random) }
    if family.hasSuffix("bert") {
      add("token_types.weight", rows: 2, columns: 144, to: &file, &random)
    }
    let header = try GGUFFile(MemoryByteSource(name: "header", bytes: file.bytes))
    let declaration = try ModelDeclaration(
      ModelDescription(header: GGUFModelHeader(header.metadata), weights: header))
    let declared =
      declaration.model.map { ($0, 0) }
      + (0..<declaration.shape.layers).flatMap { layer in
        declaration.layer.map { ($0, layer) }
      }
    for (tensor, layer) in declared {
      guard let place = tensor.gguf else { continue }
      let name = place.name(layer: layer)
      // Parts of a fused tensor name it several times.
      guard !file.tensors.contains(where: { $0.name == name }) else { continue }
      let shape = place.storedShape(tensor.role, declaration.shape)
      add(name, rows: shape.rows, columns: shape.columns, to: &file, &random)
    }
  }

  private static func add(
    _ name: String, rows: Int, columns: Int, to file: inout GGUFModelFile,
    _ random: inout SeededGenerator
  ) {
    if rows == 1, !name.contains("shexp") { return file.norm(name, columns, &random) }
    let reach = (6 / Float(columns)).squareRoot()
    let drawn = (0..<rows * columns).map { _ in
      (Float(random.next() >> 40) * 0x1p-23 - 1) * reach
    }
    // A state that grows would leave every range.
    let values = name.hasSuffix("ssm_a") ? drawn.map { -$0.magnitude } : drawn
    file.tensors.append(
      .init(
        name: name, dimensions: [columns, rows], type: 0, bytes: GGUFModelFile.floats(values)))
  }

  @Test(arguments: names)
  func `a family has one digest, however its parts are dealt`(_ family: String) async throws {
    let engine = try Engine(Self.file(family).bytes)
    let prompt = (0..<21).map { UInt32($0 * 37 % 290 + 3) }
    let alone = try await engine.digest(prompt, count: 4, Dealing(kernel: .reference))
    for dealing in [
      Dealing(), Dealing(batch: 1), Dealing(weights: [5, 2, 1]), Dealing(weights: [0, 1]),
      Dealing(weights: [1, 1, 1], asCards: true, threads: 2, batch: 5),
      Dealing(weights: [3, 1, 4, 1, 5, 9, 2], batch: 8),
      Dealing(stages: [[1], [1]]), Dealing(stages: [[2, 1], [1, 0, 3]], batch: 4),
      Dealing(stages: [[1], [1, 1], [1], [1]], threads: 2, batch: 5),
    ] {
      let dealt = try await engine.digest(prompt, count: 4, dealing)
      #expect(dealt == alone, "\(dealing)")
    }
  }

  /// A tensor that is read and not used would make the test above hold for nothing.
  @Test(arguments: names)
  func `every tensor of a family changes its outcome`(_ family: String) async throws {
    let file = try Self.file(family)
    let prompt = (0..<9).map { UInt32($0 * 37 % 290 + 3) }
    let before = try await Engine(file.bytes).digest(prompt, count: 1)
    let names = file.tensors.map(\.name).filter { !$0.hasPrefix("blk.") || $0.hasPrefix("blk.1.") }
    for name in names {
      var changed = file
      changed.change(name) { tensor in
        // The sign of every eighth element: all experts, heads and blocks are touched. Of a decay
        // half its size: one that grows would leave every range.
        let (byte, bit): (Int, UInt8) = name.hasSuffix("ssm_a") ? (2, 0x40) : (3, 0x80)
        for index in stride(from: byte, to: tensor.bytes.count, by: 32) {
          tensor.bytes[index] ^= bit
        }
      }
      let after = try await Engine(changed.bytes).digest(prompt, count: 1)
      #expect(after != before, "\(name)")
    }
  }
}

extension Engine {
  /// Over the logits of a generation, or over the rows of texts, of which the prompt is one.
  func digest(
    _ prompt: [UInt32], count: Int, _ dealing: Dealing = Dealing()
  ) async throws -> Bytes32 {
    if manifest.shape.head.hasLogits {
      return try await generate(prompt, count: count, dealing).digest
    }
    let typed = EncodedText(Array(prompt.prefix(3)), types: [0, 1, 1])
    return try await embed([EncodedText(prompt), typed, [7]], nil, dealing).digest
  }
}
