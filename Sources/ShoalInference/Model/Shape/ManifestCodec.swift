// The canonical bytes of a manifest: one encoding for one value, so that its hash names it.

internal import ShoalProtocol

extension ModelManifest {
  /// "SHM" and the version's digit.
  private static let magic: UInt32 = 0x004d_4853
  /// Raised with every change of these bytes: a model of another version is imported again.
  public static let version: UInt8 = 3

  /// Little-endian, fields in the order below; floats as their IEEE bits.
  public var canonicalBytes: [UInt8] {
    var writer = ByteWriter(reserving: 256 + atoms.count * 52)
    writer.integer(Self.magic | UInt32(UInt8(ascii: "0") + Self.version) << 24)
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
    guard magic & 0xff_ffff == Self.magic else {
      throw WireError.unknown(field: "magic", value: UInt64(magic))
    }
    let version = Int(magic >> 24) - Int(UInt8(ascii: "0"))
    guard version == Int(Self.version) else {
      throw ModelError.otherVersion(found: version, known: Int(Self.version))
    }
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
    let atoms = try reader.list("atoms", limit: Hyperparameters.mostAtoms) {
      reader throws(WireError) in
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
      case .keyValue(let layer, let group): (2, layer, group)
      case .query(let layer, let unit): (3, layer, unit)
      case .feedForward(let layer, let block): (4, layer, block)
      case .output(let block): (5, 0, block)
      case .recurrent(let layer, let block): (6, layer, block)
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
    case (2, _, _): return .keyValue(layer: layer, group: index)
    case (3, _, _): return .query(layer: layer, unit: index)
    case (4, _, _): return .feedForward(layer: layer, block: index)
    case (5, 0, _): return .output(block: index)
    case (6, _, _): return .recurrent(layer: layer, block: index)
    case (0...5, _, _): throw .invalid(field: "atom key")
    case _: throw .unknown(field: "atom kind", value: UInt64(tag))
    }
  }
}
