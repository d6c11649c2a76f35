// What a model file says about itself, under keys that mean the same in every dialect.

/// A key of a header: how each dialect spells it. A dot leads into a nested object.
public struct HeaderKey: Sendable, Hashable {
  /// Behind the architecture's name, such as `llama.embedding_length`; nil: GGUF does not say.
  public let gguf: String?
  /// The first of these that is there; none: `config.json` does not say.
  public let huggingFace: [String]

  public init(_ gguf: String?, _ huggingFace: String...) {
    self.gguf = gguf
    self.huggingFace = huggingFace
  }
}

/// The header of a model file. Accessors return nil where the key is absent, and throw an error
/// that names file and key where its value is of another type.
public protocol ModelHeader: Sendable {
  var dialect: TensorDialect { get }
  /// `general.architecture`, `model_type`.
  var architecture: String { get throws }
  /// How messages spell a key.
  func spelling(_ key: HeaderKey) -> String
  func integer(_ key: HeaderKey) throws -> Int?
  func float(_ key: HeaderKey) throws -> Float?
  func boolean(_ key: HeaderKey) throws -> Bool?
  func text(_ key: HeaderKey) throws -> String?
  func integers(_ key: HeaderKey) throws -> [Int]?
  func floats(_ key: HeaderKey) throws -> [Float]?
  func texts(_ key: HeaderKey) throws -> [String]?
}

/// A model that has not been read yet but for its header: what architectures take their shape from.
public struct ModelDescription: Sendable {
  public private(set) var header: any ModelHeader
  public let weights: any WeightSource
  /// What files beside the header say of vectors.
  public let sentences: SentenceModules

  public init(
    header: any ModelHeader, weights: any WeightSource,
    sentences: SentenceModules = SentenceModules()
  ) {
    self.header = header
    self.weights = weights
    self.sentences = sentences
  }

  public var dialect: TensorDialect { header.dialect }
  public var isGGUF: Bool { dialect == .gguf }

  public func integer(_ key: HeaderKey) throws -> Int {
    guard let value = try header.integer(key) else {
      throw ModelError.missing(key: header.spelling(key))
    }
    return value
  }
  public func integer(_ key: HeaderKey, default value: Int) throws -> Int {
    try header.integer(key) ?? value
  }
  public func float(_ key: HeaderKey) throws -> Float {
    guard let value = try header.float(key) else {
      throw ModelError.missing(key: header.spelling(key))
    }
    return value
  }
  public func float(_ key: HeaderKey, default value: Float) throws -> Float {
    try header.float(key) ?? value
  }
  public func flag(_ key: HeaderKey, default value: Bool) throws -> Bool {
    try header.boolean(key) ?? value
  }
}

/// A header, with what a family takes for granted where it says nothing.
private struct AssumingHeader: ModelHeader {
  let header: any ModelHeader
  let usualIntegers: [HeaderKey: Int]
  let usualFloats: [HeaderKey: Float]

  var dialect: TensorDialect { header.dialect }
  var architecture: String { get throws { try header.architecture } }
  func spelling(_ key: HeaderKey) -> String { header.spelling(key) }
  func integer(_ key: HeaderKey) throws -> Int? { try header.integer(key) ?? usualIntegers[key] }
  func float(_ key: HeaderKey) throws -> Float? { try header.float(key) ?? usualFloats[key] }
  func boolean(_ key: HeaderKey) throws -> Bool? { try header.boolean(key) }
  func text(_ key: HeaderKey) throws -> String? { try header.text(key) }
  func integers(_ key: HeaderKey) throws -> [Int]? { try header.integers(key) }
  func floats(_ key: HeaderKey) throws -> [Float]? { try header.floats(key) }
  func texts(_ key: HeaderKey) throws -> [String]? { try header.texts(key) }
}

extension ModelDescription {
  /// The same model, with figures for keys that its header leaves out.
  func assuming(
    integers: [HeaderKey: Int], floats: [HeaderKey: Float] = [:]
  ) -> ModelDescription {
    var model = self
    model.header = AssumingHeader(
      header: header, usualIntegers: integers, usualFloats: floats)
    return model
  }
}

extension HeaderKey {
  public static let hidden = HeaderKey("embedding_length", "hidden_size", "n_embd", "dim")
  public static let layers = HeaderKey("block_count", "num_hidden_layers", "n_layer", "n_layers")
  public static let context = HeaderKey("context_length", "max_position_embeddings", "n_positions")
  public static let vocabulary = HeaderKey("vocab_size", "vocab_size")
  public static let heads = HeaderKey(
    "attention.head_count", "num_attention_heads", "n_head", "n_heads")
  public static let keyValueHeads = HeaderKey(
    "attention.head_count_kv", "num_key_value_heads", "num_kv_heads")
  public static let headDimension = HeaderKey("attention.key_length", "head_dim")
  public static let valueDimension = HeaderKey("attention.value_length")
  public static let feedForward = HeaderKey(
    "feed_forward_length", "intermediate_size", "n_inner", "ffn_hidden_size", "hidden_dim")
  public static let rmsEpsilon = HeaderKey("attention.layer_norm_rms_epsilon", "rms_norm_eps")
  public static let layerEpsilon = HeaderKey(
    "attention.layer_norm_epsilon", "layer_norm_eps", "layer_norm_epsilon", "norm_epsilon")
  public static let activation = HeaderKey(
    nil, "hidden_act", "hidden_activation", "activation_function", "activation")
  public static let isTied = HeaderKey(nil, "tie_word_embeddings")

  public static let rotaryDimension = HeaderKey("rope.dimension_count")
  public static let rotaryFraction = HeaderKey(
    nil, "partial_rotary_factor", "rope_parameters.partial_rotary_factor", "rotary_pct",
    "rotary_emb_fraction")
  public static let rotaryBase = HeaderKey(
    "rope.freq_base", "rope_theta", "rope_parameters.rope_theta",
    "rope_parameters.full_attention.rope_theta", "rotary_emb_base")
  public static let scalingType = HeaderKey(
    "rope.scaling.type", "rope_scaling.rope_type", "rope_scaling.type",
    "rope_parameters.rope_type", "rope_parameters.full_attention.rope_type")
  public static let scalingFactor = HeaderKey(
    "rope.scaling.factor", "rope_scaling.factor", "rope_parameters.factor",
    "rope_parameters.full_attention.factor")
  public static let originalContext = HeaderKey(
    "rope.scaling.original_context_length", "rope_scaling.original_max_position_embeddings",
    "rope_parameters.original_max_position_embeddings", "original_max_position_embeddings")
  public static let attentionFactor = HeaderKey(
    "rope.scaling.attn_factor", "rope_scaling.attention_factor", "rope_parameters.attention_factor")
  public static let betaFast = HeaderKey(
    "rope.scaling.yarn_beta_fast", "rope_scaling.beta_fast", "rope_parameters.beta_fast")
  public static let betaSlow = HeaderKey(
    "rope.scaling.yarn_beta_slow", "rope_scaling.beta_slow", "rope_parameters.beta_slow")
  public static let lowFrequency = HeaderKey(
    nil, "rope_scaling.low_freq_factor", "rope_parameters.low_freq_factor")
  public static let highFrequency = HeaderKey(
    nil, "rope_scaling.high_freq_factor", "rope_parameters.high_freq_factor")
  public static let shortFactors = HeaderKey(
    nil, "rope_scaling.short_factor", "rope_parameters.short_factor")
  public static let longFactors = HeaderKey(
    nil, "rope_scaling.long_factor", "rope_parameters.long_factor")

  public static let window = HeaderKey("attention.sliding_window", "sliding_window")
  public static let layerTypes = HeaderKey(nil, "layer_types")
}
