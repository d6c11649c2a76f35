// What a model file says about itself, under keys that mean the same in every dialect.

/// A key of a header: how each dialect spells it. A dot leads into a nested object.
public struct HeaderKey: Sendable, Hashable {
  /// Behind the architecture's name, such as `llama.embedding_length`; nil: GGUF does not say.
  public let gguf: String?
  /// The first of these that is there; none: `config.json` does not say.
  public let huggingFace: [String]

  public init(_ gguf: String?, _ huggingFace: String...) {
    self.init(gguf, huggingFace)
  }

  public init(_ gguf: String?, _ huggingFace: [String]) {
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

  /// Why a model is refused whose header says what is not computed.
  func refused(_ key: HeaderKey, _ what: String) -> ModelError {
    .unsupportedFeature("\(header.spelling(key)) asks for \(what)")
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
    integers: [HeaderKey: Int] = [:], floats: [HeaderKey: Float] = [:]
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
    "attention.head_count_kv", "num_key_value_heads", "num_kv_heads", "n_head_kv")
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
  public static let rotaryFraction = rotary(
    nil, "partial_rotary_factor",
    older: "partial_rotary_factor", "rotary_pct", "rotary_emb_fraction")
  public static let rotaryBase = rotary(
    "rope.freq_base", "rope_theta", older: "rope_theta", "rotary_emb_base")
  public static let scalingType = rotary(
    "rope.scaling.type", "rope_type", older: "rope_scaling.type")
  public static let scalingFactor = rotary("rope.scaling.factor", "factor")
  public static let originalContext = rotary(
    "rope.scaling.original_context_length", "original_max_position_embeddings",
    older: "original_max_position_embeddings")
  public static let attentionFactor = rotary("rope.scaling.attn_factor", "attention_factor")
  public static let betaFast = rotary("rope.scaling.yarn_beta_fast", "beta_fast")
  public static let betaSlow = rotary("rope.scaling.yarn_beta_slow", "beta_slow")
  public static let amplitudeScale = rotary(nil, "mscale")
  public static let amplitudeDivisor = rotary(nil, "mscale_all_dim")
  public static let roundsRamp = rotary(nil, "truncate")
  public static let lowFrequency = rotary(nil, "low_freq_factor")
  public static let highFrequency = rotary(nil, "high_freq_factor")
  public static let shortFactors = rotary(nil, "short_factor")
  public static let longFactors = rotary(nil, "long_factor")

  /// A figure of rotary positions: by itself or among `rope_scaling` in the hub's keys, among
  /// `rope_parameters` in those of transformers 5, there maybe for each kind of layer.
  private static func rotary(_ gguf: String?, _ name: String, older: String...) -> HeaderKey {
    HeaderKey(
      gguf,
      ["rope_scaling.\(name)"] + older
        + ["rope_parameters.full_attention.\(name)", "rope_parameters.\(name)"])
  }

  public static let window = HeaderKey("attention.sliding_window", "sliding_window")
  public static let layerTypes = HeaderKey(nil, "layer_types")
}
