// Llama 1, 2 and 3 (arXiv 2302.13971, 2307.09288, 2407.21783): pre-norm, grouped-query attention
// with rotary positions, a gated SiLU feed-forward. Two sums cross atoms in each layer: after
// attention and after the feed-forward.

enum Llama {
  static let architecture = "llama"

  /// The tensors of a Llama, with the split of each stated once.
  static func declaration(_ shape: Hyperparameters) -> ModelDeclaration {
    let hidden = shape.hidden
    let queryRows = shape.heads * shape.headDimension
    let keyValueRows = shape.keyValueHeads * shape.headDimension
    return ModelDeclaration(
      architecture: architecture, shape: shape,
      model: [
        .init(
          .embedding, "token_embd.weight", rows: shape.vocabulary, columns: hidden,
          split: .vocabularyRows),
        .init(.outputNorm, "output_norm.weight", rows: 1, columns: hidden, split: .whole),
        // Absent where the head is tied to the embedding.
        .init(
          .output, "output.weight", rows: shape.vocabulary, columns: hidden,
          split: .vocabularyRows, optional: true),
      ],
      layer: [
        .init(
          .attentionNorm, "blk.{layer}.attn_norm.weight", rows: 1, columns: hidden, split: .whole),
        .init(
          .query, "blk.{layer}.attn_q.weight", rows: queryRows, columns: hidden,
          split: .queryHeadRows),
        .init(
          .key, "blk.{layer}.attn_k.weight", rows: keyValueRows, columns: hidden,
          split: .keyValueHeadRows),
        .init(
          .value, "blk.{layer}.attn_v.weight", rows: keyValueRows, columns: hidden,
          split: .keyValueHeadRows),
        .init(
          .attentionOutput, "blk.{layer}.attn_output.weight", rows: hidden, columns: queryRows,
          split: .queryHeadColumns),
        .init(
          .feedForwardNorm, "blk.{layer}.ffn_norm.weight", rows: 1, columns: hidden, split: .whole),
        .init(
          .gate, "blk.{layer}.ffn_gate.weight", rows: shape.feedForward, columns: hidden,
          split: .feedForwardRows),
        .init(
          .up, "blk.{layer}.ffn_up.weight", rows: shape.feedForward, columns: hidden,
          split: .feedForwardRows),
        .init(
          .down, "blk.{layer}.ffn_down.weight", rows: hidden, columns: shape.feedForward,
          split: .feedForwardColumns),
      ])
  }
}
