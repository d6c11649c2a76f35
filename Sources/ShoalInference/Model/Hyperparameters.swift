// The numbers that fix a decoder's shape. Everything a plan, an atom or a forward pass needs to
// know of a model beside its weights.

public struct Hyperparameters: Sendable, Hashable {
  public var hidden: Int
  public var layers: Int
  public var heads: Int
  public var keyValueHeads: Int
  public var headDimension: Int
  /// How many leading elements of a head are rotated.
  public var rotaryDimension: Int
  public var feedForward: Int
  public var vocabulary: Int
  /// The longest sequence the model was made for, in tokens.
  public var context: Int
  public var normEpsilon: Float
  public var rotaryBase: Float
  public var rotaryStyle: RotaryStyle
  public var rotaryScaling: RotaryScaling
  public var keyValueType: KVType

  public init(
    hidden: Int, layers: Int, heads: Int, keyValueHeads: Int, headDimension: Int,
    rotaryDimension: Int, feedForward: Int, vocabulary: Int, context: Int, normEpsilon: Float,
    rotaryBase: Float, rotaryStyle: RotaryStyle, rotaryScaling: RotaryScaling,
    keyValueType: KVType
  ) {
    self.hidden = hidden
    self.layers = layers
    self.heads = heads
    self.keyValueHeads = keyValueHeads
    self.headDimension = headDimension
    self.rotaryDimension = rotaryDimension
    self.feedForward = feedForward
    self.vocabulary = vocabulary
    self.context = context
    self.normEpsilon = normEpsilon
    self.rotaryBase = rotaryBase
    self.rotaryStyle = rotaryStyle
    self.rotaryScaling = rotaryScaling
    self.keyValueType = keyValueType
  }

  public var headsPerGroup: Int { heads / keyValueHeads }

  /// The bounds within which a shape is believed: generous for what exists, small enough that no
  /// product of two of them overflows or allocates without end.
  public func checked() throws(ModelError) -> Hyperparameters {
    let ranges: [(String, Int, ClosedRange<Int>)] = [
      ("hidden size", hidden, 1...(1 << 17)), ("layers", layers, 1...1_024),
      ("heads", heads, 1...4_096), ("key-value heads", keyValueHeads, 1...4_096),
      ("head dimension", headDimension, 1...4_096),
      ("rotary dimension", rotaryDimension, 0...max(0, headDimension)),
      ("feed-forward width", feedForward, 1...(1 << 20)),
      ("vocabulary", vocabulary, 1...(1 << 21)), ("context", context, 1...(1 << 24)),
    ]
    for (name, value, range) in ranges where !range.contains(value) {
      throw .outOfRange(key: name, value: value, allowed: range)
    }
    guard heads % keyValueHeads == 0 else {
      throw .indivisible(key: "heads", value: heads, by: "key-value heads", divisor: keyValueHeads)
    }
    guard rotaryDimension % 2 == 0 else {
      throw .indivisible(key: "rotary dimension", value: rotaryDimension, by: "2", divisor: 2)
    }
    guard normEpsilon.isFinite, normEpsilon > 0, rotaryBase.isFinite, rotaryBase > 0 else {
      throw .notFinite(key: "norm epsilon or rotary base")
    }
    try checkScaling()
    return self
  }

  /// A scaling by zero or by too few factors would end a job that everybody has prepared.
  private func checkScaling() throws(ModelError) {
    let numbers: [Double]
    switch rotaryScaling {
    case .none: numbers = []
    case .linear(let factor): numbers = [factor]
    case .llama3(let factor, let low, let high, let originalContext):
      numbers = [factor, low, high, originalContext, high - low]
    case .factors(let factors):
      guard factors.count == rotaryDimension / 2 else {
        throw .wrongCount(
          key: "rotary factors", expected: rotaryDimension / 2, found: factors.count)
      }
      numbers = factors.map { Double($0) }
    }
    guard numbers.allSatisfy({ $0.isFinite && $0 > 0 }) else {
      throw .notFinite(key: "rotary scaling")
    }
  }
}
