// The bounds within which a shape is believed: generous for what exists, small enough that no
// product of two of them overflows or allocates without end.

extension Hyperparameters {
  static let largestHidden = 1 << 17
  static let mostLayers = 1_024
  static let mostHeads = 4_096
  static let mostExperts = 1_024
  /// Atoms of one model, as a manifest lists them.
  static let mostAtoms = 1 << 20

  /// The shape itself, where all of it can be believed.
  public func checked() throws(ModelError) -> Hyperparameters {
    try Self.check([
      ("hidden size", hidden, 1...Self.largestHidden), ("layers", layers, 1...Self.mostLayers),
      ("vocabulary", vocabulary, 1...(1 << 21)), ("context", context, 1...(1 << 24)),
      ("learned positions", embedding.positions, 0...(1 << 24)),
      ("token types", embedding.tokenTypes, 0...1_024),
    ])
    try Self.checkPositive([
      ("norm epsilon", norm.epsilon), ("embedding scale", embedding.scale),
      ("branch scale", residual.branchScale), ("logit scale", head.logitScale),
    ])
    try Self.checkCap("logit soft cap", head.softCap)
    if embedding.positions > 0, embedding.positions < context {
      throw .outOfRange(key: "context", value: context, allowed: 1...embedding.positions)
    }
    try attention.check(layers: layers)
    try feedForward.check(isNeeded: recurrent == nil)
    try recurrent?.check()
    let atoms = AtomCut(self).keyCount
    guard atoms <= Self.mostAtoms else {
      throw .outOfRange(key: "atoms", value: atoms, allowed: 1...Self.mostAtoms)
    }
    return self
  }

  fileprivate static func check(
    _ ranges: [(String, Int, ClosedRange<Int>)]
  ) throws(ModelError) {
    for (name, value, range) in ranges where !range.contains(value) {
      throw .outOfRange(key: name, value: value, allowed: range)
    }
  }

  fileprivate static func checkPositive(_ numbers: [(String, Float)]) throws(ModelError) {
    for (name, value) in numbers where !(value.isFinite && value > 0) {
      throw .notFinite(key: name)
    }
  }

  fileprivate static func checkCap(_ name: String, _ cap: Float) throws(ModelError) {
    guard cap.isFinite, cap >= 0 else { throw .notFinite(key: name) }
  }
}

extension AttentionOptions {
  fileprivate func check(layers count: Int) throws(ModelError) {
    try Hyperparameters.check([
      ("heads", heads, 1...Hyperparameters.mostHeads),
      ("key-value heads", keyValueHeads, 1...Hyperparameters.mostHeads),
      ("head dimension", headDimension, 1...4_096),
      ("kinds of rotary positions", rotaries.count, 0...8),
    ])
    guard heads % keyValueHeads == 0 else {
      throw .indivisible(key: "heads", value: heads, by: "key-value heads", divisor: keyValueHeads)
    }
    try Hyperparameters.checkPositive([("attention scale", scale)])
    try Hyperparameters.checkCap("attention soft cap", softCap)
    guard layers.count == count else {
      throw .wrongCount(key: "attention of layers", expected: count, found: layers.count)
    }
    for layer in layers {
      try Hyperparameters.check([
        ("attention window", layer.window, 0...(1 << 24)),
        ("kind of rotary positions", layer.rotary ?? 0, 0...max(0, rotaries.count - 1)),
      ])
      if layer.rotary != nil, rotaries.isEmpty { throw .missing(key: "rotary positions") }
    }
    for rotary in rotaries { try rotary.check(headDimension: headDimension) }
  }
}

extension RotaryOptions {
  /// A scaling by zero or by too few factors would end a job that everybody has prepared.
  fileprivate func check(headDimension: Int) throws(ModelError) {
    try Hyperparameters.check([("rotary dimension", dimension, 2...max(2, headDimension))])
    guard dimension % 2 == 0 else {
      throw .indivisible(key: "rotary dimension", value: dimension, by: "2", divisor: 2)
    }
    guard base.isFinite, base > 1 else { throw .notFinite(key: "rotary base") }
    let (numbers, lists) = scaling.parameters
    guard (numbers + lists.flatMap { $0.map { Double($0) } }).allSatisfy({ $0.isFinite && $0 > 0 })
    else { throw .notFinite(key: "rotary scaling") }
    for list in lists where list.count != dimension / 2 {
      throw .wrongCount(key: "rotary factors", expected: dimension / 2, found: list.count)
    }
  }
}

extension FeedForwardOptions {
  fileprivate func check(isNeeded: Bool) throws(ModelError) {
    let widest = 1 << 20
    try Hyperparameters.check([
      ("feed-forward width", width, (isNeeded && experts == nil ? 1 : 0)...widest)
    ])
    guard let experts else { return }
    try Hyperparameters.check([
      ("experts", experts.count, 1...Hyperparameters.mostExperts),
      ("experts used", experts.used, 1...max(1, experts.count)),
      ("expert width", experts.width, 1...widest),
    ])
  }
}

extension RecurrentOptions {
  fileprivate func check() throws(ModelError) {
    try Hyperparameters.check([
      ("recurrent channels", channels, 1...(1 << 18)), ("state size", state, 1...1_024),
      ("convolution", kernel, 1...64), ("rank of the time step", rank, 1...(1 << 15)),
    ])
  }
}
