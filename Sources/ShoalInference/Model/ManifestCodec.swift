// The canonical bytes of a manifest: one encoding for one value, so that its hash names it.

internal import ShoalProtocol

extension ModelManifest {
  private static let magic: UInt32 = 0x314d_4853  // "SHM1"

  /// Little-endian, fields in the order below; floats as their IEEE bits.
  public var canonicalBytes: [UInt8] {
    var writer = ByteWriter(reserving: 256 + atoms.count * 52)
    writer.integer(Self.magic)
    writer.string(Self.numerics)
    writer.string(architecture)
    shape.write(to: &writer)
    writer.integer(UInt8(unitExponent))
    writer.id(tokenizer)
    writer.integer(tokenizerByteCount)
    writer.string(chatTemplate)
    writer.integer(format.rawValue)
    writer.list(atoms) { writer, atom in
      atom.key.write(to: &writer)
      writer.id(atom.blob)
      writer.integer(atom.byteCount)
    }
    return writer.bytes
  }

  /// Reads what `canonicalBytes` wrote. Bytes that describe an impossible model are refused.
  public init(canonicalBytes bytes: [UInt8]) throws(ModelError) {
    do {
      var reader = ByteReader(bytes)
      self = try ModelManifest(from: &reader)
      try reader.finish()
    } catch let error as WireError {
      throw .damagedManifest(error)
    } catch let error as ModelError {
      throw error
    } catch {
      throw .damagedManifest(.invalid(field: "manifest"))
    }
    _ = try shape.checked()
    guard atoms.count == cut.keyCount, atoms.map(\.key) == cut.keys else {
      throw .damagedManifest(.invalid(field: "atoms"))
    }
  }

  private init(from reader: inout ByteReader) throws {
    let magic = try reader.integer(UInt32.self)
    guard magic == Self.magic else { throw WireError.unknown(field: "magic", value: UInt64(magic)) }
    let numerics = try reader.string("numerics", limit: 64)
    guard numerics == Self.numerics else {
      throw ModelError.unsupportedFeature("numerics class \(numerics)")
    }
    let architecture = try reader.string("architecture", limit: 64)
    let shape = try Hyperparameters(from: &reader)
    let unitExponent = Int(try reader.integer(UInt8.self))
    guard (8...30).contains(unitExponent) else {
      throw WireError.unknown(field: "unit exponent", value: UInt64(unitExponent))
    }
    let tokenizer = try reader.id(BlobID.self)
    let tokenizerByteCount = try reader.integer(UInt64.self)
    guard tokenizerByteCount <= UInt64(Limits.tokenizerBytes) else {
      throw WireError.tooLong(
        field: "tokenizer", limit: Limits.tokenizerBytes,
        announced: Int(clamping: tokenizerByteCount))
    }
    let chatTemplate = try reader.string("chat template", limit: 1 << 20)
    let format = try WeightFormat.read(from: &reader)
    let atoms = try reader.list("atoms", limit: 1 << 20) { reader throws(WireError) in
      AtomEntry(
        key: try AtomKey.read(from: &reader), blob: try reader.id(),
        byteCount: try AtomEntry.byteCount(from: &reader))
    }
    self.init(
      architecture: architecture, shape: shape, unitExponent: unitExponent, tokenizer: tokenizer,
      tokenizerByteCount: tokenizerByteCount, chatTemplate: chatTemplate, format: format,
      atoms: atoms)
  }
}

extension AtomEntry {
  fileprivate static func byteCount(from reader: inout ByteReader) throws(WireError) -> UInt64 {
    let count = try reader.integer(UInt64.self)
    guard count <= UInt64(Limits.blobBytes) else {
      throw .tooLong(field: "atom", limit: Limits.blobBytes, announced: Int(clamping: count))
    }
    return count
  }
}

extension WeightFormat {
  static func read(from reader: inout ByteReader) throws(WireError) -> WeightFormat {
    let raw = try reader.integer(UInt8.self)
    guard let format = WeightFormat(rawValue: raw) else {
      throw .unknown(field: "weight format", value: UInt64(raw))
    }
    return format
  }
}

extension AtomKey {
  /// A tag byte, then layer and index as `UInt32`.
  func write(to writer: inout ByteWriter) {
    let (tag, layer, index): (UInt8, Int, Int) =
      switch self {
      case .common: (0, 0, 0)
      case .embedding(let block): (1, 0, block)
      case .attention(let layer, let group): (2, layer, group)
      case .feedForward(let layer, let block): (3, layer, block)
      case .output(let block): (4, 0, block)
      }
    writer.integer(tag)
    writer.integer(UInt32(layer))
    writer.integer(UInt32(index))
  }

  static func read(from reader: inout ByteReader) throws(WireError) -> AtomKey {
    let tag = try reader.integer(UInt8.self)
    let layer = Int(try reader.integer(UInt32.self))
    let index = Int(try reader.integer(UInt32.self))
    // One spelling for one key: what a kind does not use is zero.
    switch (tag, layer, index) {
    case (0, 0, 0): return .common
    case (1, 0, _): return .embedding(block: index)
    case (2, _, _): return .attention(layer: layer, group: index)
    case (3, _, _): return .feedForward(layer: layer, block: index)
    case (4, 0, _): return .output(block: index)
    case (0...4, _, _): throw .invalid(field: "atom key")
    case _: throw .unknown(field: "atom kind", value: UInt64(tag))
    }
  }
}

extension Hyperparameters {
  func write(to writer: inout ByteWriter) {
    let counts = [
      hidden, layers, heads, keyValueHeads, headDimension, rotaryDimension, feedForward, vocabulary,
      context,
    ]
    for count in counts { writer.integer(UInt32(count)) }
    writer.integer(normEpsilon.bitPattern)
    writer.integer(rotaryBase.bitPattern)
    writer.integer(rotaryStyle.rawValue)
    rotaryScaling.write(to: &writer)
    writer.integer(keyValueType.rawValue)
  }

  init(from reader: inout ByteReader) throws {
    var counts: [Int] = []
    for _ in 0..<9 { counts.append(Int(try reader.integer(UInt32.self))) }
    let epsilon = Float(bitPattern: try reader.integer(UInt32.self))
    let base = Float(bitPattern: try reader.integer(UInt32.self))
    let style = try reader.integer(UInt8.self)
    let scaling = try RotaryScaling(from: &reader)
    let keyValue = try reader.integer(UInt8.self)
    guard let style = RotaryStyle(rawValue: style) else {
      throw WireError.unknown(field: "rotary style", value: UInt64(style))
    }
    guard let keyValue = KVType(rawValue: keyValue) else {
      throw WireError.unknown(field: "key-value format", value: UInt64(keyValue))
    }
    self.init(
      hidden: counts[0], layers: counts[1], heads: counts[2], keyValueHeads: counts[3],
      headDimension: counts[4], rotaryDimension: counts[5], feedForward: counts[6],
      vocabulary: counts[7], context: counts[8], normEpsilon: epsilon, rotaryBase: base,
      rotaryStyle: style, rotaryScaling: scaling, keyValueType: keyValue)
    self = try checked()
  }
}

extension RotaryScaling {
  func write(to writer: inout ByteWriter) {
    switch self {
    case .none: writer.integer(UInt8(0))
    case .linear(let factor):
      writer.integer(UInt8(1))
      writer.integer(factor.bitPattern)
    case .llama3(let factor, let low, let high, let originalContext):
      writer.integer(UInt8(2))
      for value in [factor, low, high, originalContext] { writer.integer(value.bitPattern) }
    case .factors(let factors):
      writer.integer(UInt8(3))
      writer.list(factors) { $0.integer($1.bitPattern) }
    }
  }

  init(from reader: inout ByteReader) throws(WireError) {
    let tag = try reader.integer(UInt8.self)
    switch tag {
    case 0: self = .none
    case 1: self = .linear(factor: try reader.double())
    case 2:
      self = .llama3(
        factor: try reader.double(), low: try reader.double(), high: try reader.double(),
        originalContext: try reader.double())
    case 3:
      self = .factors(
        try reader.list("rotary factors", limit: 4_096) { reader throws(WireError) in
          Float(bitPattern: try reader.integer(UInt32.self))
        })
    case _: throw .unknown(field: "rotary scaling", value: UInt64(tag))
    }
  }
}

extension ByteReader {
  fileprivate mutating func double() throws(WireError) -> Double {
    Double(bitPattern: try integer(UInt64.self))
  }
}
