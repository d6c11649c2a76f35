// How a header states a mixture of experts.

extension HeaderKey {
  static let experts = HeaderKey("expert_count", "num_local_experts", "num_experts")
  static let expertsUsed = HeaderKey("expert_used_count", "num_experts_per_tok")
  static let expertWidth = HeaderKey("expert_feed_forward_length", "moe_intermediate_size")
  static let sharedWidth = HeaderKey(
    "expert_shared_feed_forward_length", "shared_expert_intermediate_size")
  static let normalisesExperts = HeaderKey(nil, "norm_topk_prob")
}

extension ModelDescription {
  /// Turns the feed-forward of `shape` into experts where the header has any.
  ///
  /// - Parameters:
  ///   - normalises: whether the chosen experts' weights are made to sum to 1, where the header
  ///     does not say.
  ///   - shared: whether there is a block that every token passes, with a gate of its own.
  func experts(
    _ shape: inout Hyperparameters, normalises: Bool = true, shared: Bool = false
  ) throws {
    let count = try integer(.experts, default: 0)
    guard count > 0 else { return }
    let used = try integer(.expertsUsed)
    shape.feedForward.experts = ExpertOptions(
      count: count, used: used,
      width: try integer(.expertWidth, default: shape.feedForward.width),
      normalisesWeights: try flag(.normalisesExperts, default: normalises), gatesShared: shared)
    shape.feedForward.width = shared ? try integer(.sharedWidth, default: 0) : 0
  }
}
