// The canonical bytes of a shape inside a manifest: fields in the order of their declaration,
// floats as their IEEE bits.

internal import ShoalProtocol

extension Hyperparameters {
  func write(to writer: inout ByteWriter) {
    for count in [hidden, layers, vocabulary, context] { writer.integer(UInt32(count)) }
    writer.integer(norm.kind.rawValue)
    writer.float(norm.epsilon)
    writer.float(embedding.scale)
    writer.integer(UInt32(embedding.positions))
    writer.integer(UInt32(embedding.tokenTypes))
    writer.flag(embedding.isNormed)
    attention.write(to: &writer)
    feedForward.write(to: &writer)
    writer.flag(recurrent != nil)
    recurrent?.write(to: &writer)
    writer.flag(residual.isParallel)
    writer.flag(residual.normalisesInput)
    writer.flag(residual.normalisesBranch)
    writer.flag(residual.normalisesSum)
    writer.float(residual.branchScale)
    writer.flag(head.isNormed)
    writer.flag(head.hasLogits)
    writer.float(head.logitScale)
    writer.float(head.softCap)
    writer.flag(head.hasBias)
    writer.integer(head.pooling?.kind.rawValue ?? 0)
    writer.flag(head.pooling?.isNormalised ?? false)
  }

  init(from reader: inout ByteReader) throws {
    let counts = try (0..<4).map { _ in Int(try reader.integer(UInt32.self)) }
    let norm = NormOptions(
      try reader.code("norm", NormOptions.Kind.self), epsilon: try reader.float())
    var embedding = EmbeddingOptions()
    embedding.scale = try reader.float()
    embedding.positions = Int(try reader.integer(UInt32.self))
    embedding.tokenTypes = Int(try reader.integer(UInt32.self))
    embedding.isNormed = try reader.flag("embedding norm")
    let attention = try AttentionOptions(from: &reader)
    let feedForward = try FeedForwardOptions(from: &reader)
    let recurrent = try reader.flag("recurrent") ? RecurrentOptions(from: &reader) : nil
    var residual = ResidualOptions()
    residual.isParallel = try reader.flag("parallel")
    residual.normalisesInput = try reader.flag("input norm")
    residual.normalisesBranch = try reader.flag("branch norm")
    residual.normalisesSum = try reader.flag("sum norm")
    residual.branchScale = try reader.float()
    var head = HeadOptions()
    head.isNormed = try reader.flag("head norm")
    head.hasLogits = try reader.flag("head")
    head.logitScale = try reader.float()
    head.softCap = try reader.float()
    head.hasBias = try reader.flag("head bias")
    let pooling = try reader.integer(UInt8.self)
    let isNormalised = try reader.flag("normalised vectors")
    head.pooling = Pooling(rawValue: pooling).map { PoolingOptions($0, isNormalised: isNormalised) }
    guard head.pooling != nil || (pooling == 0 && !isNormalised) else {
      throw WireError.unknown(field: "pooling", value: UInt64(pooling))
    }
    self.init(
      hidden: counts[0], layers: counts[1], vocabulary: counts[2], context: counts[3], norm: norm,
      embedding: embedding, attention: attention, feedForward: feedForward, recurrent: recurrent,
      residual: residual, head: head)
    self = try checked()
  }
}

extension AttentionOptions {
  fileprivate func write(to writer: inout ByteWriter) {
    for count in [heads, keyValueHeads, headDimension] { writer.integer(UInt32(count)) }
    writer.float(scale)
    writer.float(softCap)
    writer.integer(queryKeyNorm.rawValue)
    writer.flag(isCausal)
    writer.integer(keyValueType.rawValue)
    writer.list(rotaries) { writer, rotary in
      writer.integer(UInt32(rotary.dimension))
      writer.float(rotary.base)
      writer.integer(rotary.style.rawValue)
      rotary.scaling.write(to: &writer)
    }
    writer.list(layers) { writer, layer in
      writer.integer(UInt32(layer.window))
      writer.integer(UInt8(layer.rotary.map { $0 + 1 } ?? 0))
    }
  }

  fileprivate init(from reader: inout ByteReader) throws {
    let counts = try (0..<3).map { _ in Int(try reader.integer(UInt32.self)) }
    guard counts.allSatisfy({ $0 > 0 }) else { throw WireError.invalid(field: "heads") }
    let scale = try reader.float()
    let softCap = try reader.float()
    let queryKeyNorm = try reader.code("query-key norm", QueryKeyNorm.self)
    let isCausal = try reader.flag("causal")
    let keyValue = try reader.code("key-value format", KVType.self)
    let rotaries = try reader.list("rotary positions", limit: 8) { reader throws(WireError) in
      RotaryOptions(
        dimension: Int(try reader.integer(UInt32.self)), base: try reader.float(),
        style: try reader.code("rotary style", RotaryStyle.self),
        scaling: try RotaryScaling(from: &reader))
    }
    let layers = try reader.list(
      "attention of layers", limit: Hyperparameters.mostLayers
    ) { reader throws(WireError) in
      let window = Int(try reader.integer(UInt32.self))
      let rotary = Int(try reader.integer(UInt8.self))
      return LayerAttention(window: window, rotary: rotary == 0 ? nil : rotary - 1)
    }
    self.init(
      heads: counts[0], keyValueHeads: counts[1], headDimension: counts[2], scale: scale,
      rotaries: rotaries, layers: layers, keyValueType: keyValue)
    self.softCap = softCap
    self.queryKeyNorm = queryKeyNorm
    self.isCausal = isCausal
  }
}

extension FeedForwardOptions {
  fileprivate func write(to writer: inout ByteWriter) {
    writer.integer(UInt32(width))
    writer.integer(activation.rawValue)
    writer.flag(isGated)
    writer.flag(experts != nil)
    guard let experts else { return }
    for count in [experts.count, experts.used, experts.width] { writer.integer(UInt32(count)) }
    writer.flag(experts.normalisesWeights)
    writer.flag(experts.gatesShared)
  }

  fileprivate init(from reader: inout ByteReader) throws(WireError) {
    let width = Int(try reader.integer(UInt32.self))
    let activation = try reader.code("activation", Activation.self)
    let isGated = try reader.flag("gated")
    self.init(width: width, activation: activation, isGated: isGated)
    guard try reader.flag("experts") else { return }
    experts = ExpertOptions(
      count: Int(try reader.integer(UInt32.self)), used: Int(try reader.integer(UInt32.self)),
      width: Int(try reader.integer(UInt32.self)),
      normalisesWeights: try reader.flag("expert weights"),
      gatesShared: try reader.flag("shared gate"))
  }
}

extension RecurrentOptions {
  fileprivate func write(to writer: inout ByteWriter) {
    for count in [channels, state, kernel, rank] { writer.integer(UInt32(count)) }
    writer.flag(normalisesProjections)
  }

  fileprivate init(from reader: inout ByteReader) throws(WireError) {
    self.init(
      channels: Int(try reader.integer(UInt32.self)), state: Int(try reader.integer(UInt32.self)),
      kernel: Int(try reader.integer(UInt32.self)), rank: Int(try reader.integer(UInt32.self)),
      normalisesProjections: try reader.flag("normalised projections"))
  }
}

extension RotaryScaling {
  /// A tag byte, then the numbers of `parameters` as f64, then its lists.
  fileprivate func write(to writer: inout ByteWriter) {
    let tag: UInt8 =
      switch self {
      case .none: 0
      case .linear: 1
      case .llama3: 2
      case .factors: 3
      case .dynamic: 4
      case .yarn(_, _, _, _, _, let rounds): rounds ? 5 : 7
      case .longRoPE: 6
      }
    writer.integer(tag)
    switch self {
    case .none: break
    case .linear(let factor): writer.doubles([factor])
    case .llama3(let factor, let low, let high, let original):
      writer.doubles([factor, low, high, original])
    case .factors(let factors): writer.floats(factors)
    case .dynamic(let factor, let original): writer.doubles([factor, original])
    case .yarn(let factor, let fast, let slow, let original, let amplitude, _):
      writer.doubles([factor, fast, slow, original, amplitude])
    case .longRoPE(let short, let long, let original, let amplitude):
      writer.doubles([original, amplitude])
      writer.floats(short)
      writer.floats(long)
    }
  }

  fileprivate init(from reader: inout ByteReader) throws(WireError) {
    let tag = try reader.integer(UInt8.self)
    switch tag {
    case 0: self = .none
    case 1: self = .linear(factor: try reader.double())
    case 2:
      self = .llama3(
        factor: try reader.double(), low: try reader.double(), high: try reader.double(),
        originalContext: try reader.double())
    case 3: self = .factors(try reader.floats("rotary factors"))
    case 4: self = .dynamic(factor: try reader.double(), originalContext: try reader.double())
    case 5, 7:
      self = .yarn(
        factor: try reader.double(), fast: try reader.double(), slow: try reader.double(),
        originalContext: try reader.double(), amplitude: try reader.double(), rounds: tag == 5)
    case 6:
      let (original, amplitude) = (try reader.double(), try reader.double())
      self = .longRoPE(
        short: try reader.floats("short rotary factors"),
        long: try reader.floats("long rotary factors"), originalContext: original,
        amplitude: amplitude)
    case _: throw .unknown(field: "rotary scaling", value: UInt64(tag))
    }
  }
}

extension ByteWriter {
  fileprivate mutating func float(_ value: Float) { integer(value.bitPattern) }
  fileprivate mutating func doubles(_ values: [Double]) {
    for value in values { integer(value.bitPattern) }
  }
  fileprivate mutating func floats(_ values: [Float]) { list(values) { $0.float($1) } }
}

extension ByteReader {
  fileprivate mutating func float() throws(WireError) -> Float {
    Float(bitPattern: try integer(UInt32.self))
  }
  fileprivate mutating func double() throws(WireError) -> Double {
    Double(bitPattern: try integer(UInt64.self))
  }
  fileprivate mutating func floats(_ field: String) throws(WireError) -> [Float] {
    try list(field, limit: 4_096) { reader throws(WireError) in try reader.float() }
  }
  fileprivate mutating func code<Code: RawRepresentable<UInt8>>(
    _ field: String, _: Code.Type
  ) throws(WireError) -> Code {
    let byte = try integer(UInt8.self)
    guard let code = Code(rawValue: byte) else {
      throw .unknown(field: field, value: UInt64(byte))
    }
    return code
  }
}
