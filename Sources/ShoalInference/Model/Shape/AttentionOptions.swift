// What attention does in each layer of a model: heads, positions, windows, scales.

public struct AttentionOptions: Sendable, Hashable {
  public var heads: Int
  /// 1: multi-query; `heads`: multi-head; between: grouped-query (Ainslie et al. 2023).
  public var keyValueHeads: Int
  public var headDimension: Int
  /// What scores are multiplied by; 1 / sqrt(headDimension) in most models.
  public var scale: Float
  /// Above 0, a score s becomes softCap * tanh(s / softCap) (Gemma 2).
  public var softCap: Float = 0
  public var queryKeyNorm = QueryKeyNorm.none
  /// False: every position sees every other (encoders).
  public var isCausal = true
  /// How positions turn heads, as many ways as layers differ in.
  public var rotaries: [RotaryOptions]
  /// One entry for each layer.
  public var layers: [LayerAttention]
  public var keyValueType: KVType

  public init(
    heads: Int, keyValueHeads: Int, headDimension: Int, scale: Float? = nil,
    rotaries: [RotaryOptions], layers: [LayerAttention], keyValueType: KVType
  ) {
    self.heads = heads
    self.keyValueHeads = keyValueHeads
    self.headDimension = headDimension
    self.scale = scale ?? 1 / Float(headDimension).squareRoot()
    self.rotaries = rotaries
    self.layers = layers
    self.keyValueType = keyValueType
  }

  /// Of a model whose layers have none (`RecurrentOptions`).
  static func none(layers: Int) -> AttentionOptions {
    AttentionOptions(
      heads: 1, keyValueHeads: 1, headDimension: 1, rotaries: [],
      layers: Array(repeating: LayerAttention(rotary: nil), count: layers), keyValueType: .f32)
  }
}

/// Whether queries and keys are normalised before they are turned.
public enum QueryKeyNorm: UInt8, Sendable, Hashable, CaseIterable {
  case none = 0
  /// Each head by itself, with one weight row for all heads (Qwen 3, Gemma 3).
  case perHead = 1
  /// All heads together (OLMo 2): their sums of squares cross ranks.
  case fullWidth = 2
  /// Each head by itself, with a weight row of its own, by the model's kind of norm (StableLM 2).
  case eachHead = 3

  /// Whether a rank normalises its heads without knowing of others.
  var isOfHeads: Bool { self == .perHead || self == .eachHead }
}

/// What one layer's attention has of its own.
public struct LayerAttention: Sendable, Hashable {
  /// Positions that a token sees, itself included; 0: all before it.
  public var window: Int
  /// Which of `rotaries` turns its heads; nil: none does (SmolLM 3's layers without positions).
  public var rotary: Int?

  public init(window: Int = 0, rotary: Int? = 0) {
    self.window = window
    self.rotary = rotary
  }
}

/// Rotary positions (Su et al. 2021).
public struct RotaryOptions: Sendable, Hashable {
  /// How many leading elements of a head are turned; even.
  public var dimension: Int
  public var base: Float
  public var style: RotaryStyle
  public var scaling: RotaryScaling

  public init(
    dimension: Int, base: Float, style: RotaryStyle, scaling: RotaryScaling = .none
  ) {
    self.dimension = dimension
    self.base = base
    self.style = style
    self.scaling = scaling
  }
}
