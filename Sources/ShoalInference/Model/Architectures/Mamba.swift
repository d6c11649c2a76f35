// Mamba (arXiv 2312.00752) and Falcon Mamba (2410.05355): no attention and no feed-forward, one
// selective state space a layer, whose channels are dealt in blocks of 64.

internal import ShoalProtocol

extension Architecture {
  static let mamba = Architecture(
    "mamba", gguf: ["mamba"], huggingFace: ["mamba", "falcon_mamba"], prefix: "backbone."
  ) { model in
    if try model.flag(.hasProjectionBias, default: false) {
      throw model.refused(.hasProjectionBias, "biases of projections")
    }
    let hidden = try model.integer(.hidden)
    let layers = try model.integer(.layers)
    try model.check(.hidden, hidden, 1...Hyperparameters.largestHidden)
    try model.check(.layers, layers, 1...Hyperparameters.mostLayers)
    let channels = try model.integer(
      .channels, default: hidden * model.integer(.expansion, default: 2))
    return Hyperparameters(
      hidden: hidden, layers: layers, vocabulary: try model.vocabulary(),
      // A state has no length; what the header says is what it was trained on.
      context: try model.integer(.context, default: 1 << 20),
      norm: NormOptions(.rms, epsilon: try model.float(.mambaEpsilon)),
      attention: .none(layers: layers),
      feedForward: FeedForwardOptions(width: 0, activation: .silu),
      recurrent: RecurrentOptions(
        channels: channels, state: try model.integer(.stateSize),
        kernel: try model.integer(.convolutionKernel), rank: try model.integer(.timeStepRank),
        normalisesProjections: try model.normalisesProjections()))
  } tensors: { _ in
    let (gguf, mixer) = ("blk.{layer}", "backbone.layers.{layer}.mixer")
    let halves = (TensorPlace.Fusion.inputThenGate, TensorPlace.Fusion.inputThenGate)
    return .all([
      .vocabulary("backbone.embeddings"),
      .norm(.outputNorm, "output_norm", "backbone.norm_f"),
      .norm(.attentionNorm, "\(gguf).attn_norm", "backbone.layers.{layer}.norm"),
      .product(.recurrentInput, "\(gguf).ssm_in", "\(mixer).in_proj", fused: halves),
      .product(.recurrentGate, "\(gguf).ssm_in", "\(mixer).in_proj", fused: halves),
      .product(.convolution, "\(gguf).ssm_conv1d", "\(mixer).conv1d"),
      [
        .init(
          .convolutionBias, TensorPlace("\(gguf).ssm_conv1d.bias"),
          TensorPlace("\(mixer).conv1d.bias"), optional: true)
      ],
      .product(.stateProjection, "\(gguf).ssm_x", "\(mixer).x_proj"),
      .product(.timeStep, "\(gguf).ssm_dt", "\(mixer).dt_proj"),
      [
        .init(
          .timeStepBias, TensorPlace("\(gguf).ssm_dt.bias"), TensorPlace("\(mixer).dt_proj.bias")),
        // GGUF has -exp of what checkpoints have.
        .init(
          .decay, TensorPlace("\(gguf).ssm_a"),
          TensorPlace("\(mixer).A_log", isLogarithm: true)),
        .init(.skip, TensorPlace("\(gguf).ssm_d"), TensorPlace("\(mixer).D")),
      ],
      .product(.recurrentOutput, "\(gguf).ssm_out", "\(mixer).out_proj"),
    ])
  }
}

extension ModelDescription {
  fileprivate func normalisesProjections() throws -> Bool {
    try flag(.normalisesProjections, default: header.architecture == "falcon_mamba")
  }
}

extension HeaderKey {
  static let channels = HeaderKey("ssm.inner_size", "intermediate_size", "d_inner")
  static let expansion = HeaderKey(nil, "expand")
  static let stateSize = HeaderKey("ssm.state_size", "state_size")
  static let convolutionKernel = HeaderKey("ssm.conv_kernel", "conv_kernel")
  static let timeStepRank = HeaderKey("ssm.time_step_rank", "time_step_rank")
  static let normalisesProjections = HeaderKey("ssm.dt_b_c_rms")
  static let hasProjectionBias = HeaderKey(nil, "use_bias")
  static let mambaEpsilon = HeaderKey(
    "attention.layer_norm_rms_epsilon", "layer_norm_epsilon", "rms_norm_eps")
}
