// Cuts a model file into atoms and writes its manifest. Weights keep their stored bits; only their
// order in memory changes; but for atoms that a precision map names. One atom is in memory at a
// time, however large the file is.

public import ShoalProtocol

/// A model's tensors on their way into atoms.
public struct ModelImporter: Sendable {
  /// How far an import has come, in bytes of atoms.
  public typealias Progress = (_ done: UInt64, _ total: UInt64) -> Void
  /// Keeps a blob and says what it is called.
  public typealias Keep = (UnsafeRawBufferPointer) throws -> BlobID

  private let parts: AtomParts
  private let precision: PrecisionMap

  /// Reads the header of a model and checks its tensors against its family's declaration.
  public init(_ model: ModelDescription, precision: PrecisionMap = PrecisionMap()) throws {
    self.precision = precision
    let declaration = try ModelDeclaration(model)
    parts = AtomParts(
      declaration: declaration, source: model.weights, cut: AtomCut(declaration.shape))
    try Self.check(parts)
  }

  /// The tensors that are computed with.
  private var tensorNames: [String] {
    parts.source.tensorNames.filter { !parts.declaration.ignores($0) }
  }

  public var architecture: String { parts.declaration.architecture }
  public var shape: Hyperparameters { parts.declaration.shape }

  /// Cuts the whole model.
  ///
  /// - Parameters:
  ///   - tokenizer: canonical bytes of the tokenizer's definition.
  ///   - keep: stores a blob durably; called once an atom, in the order of the keys.
  public func run(
    tokenizer: [UInt8], chatTemplate: String, keep: Keep, progress: Progress
  ) throws -> ModelManifest {
    let total = try tensorNames.reduce(0) { try $0 + parts.source.required($1).byteCount }
    var done: UInt64 = 0
    var atoms: [AtomEntry] = []
    for key in parts.cut.keys {
      let bytes = try atom(key)
      let blob = try unsafe keep(bytes.bytes)
      atoms.append(AtomEntry(key: key, blob: blob, byteCount: UInt64(bytes.count)))
      done += UInt64(bytes.count)
      progress(min(done, total), total)
    }
    progress(total, total)
    return ModelManifest(
      architecture: architecture, shape: shape, unitExponent: 18,
      tokenizer: try unsafe tokenizer.withUnsafeBytes { try unsafe keep($0) },
      tokenizerByteCount: UInt64(tokenizer.count), chatTemplate: chatTemplate,
      format: try dominantFormat(), atoms: atoms)
  }

  /// The format that most bytes of the file are in.
  func dominantFormat() throws -> WeightFormat {
    var bytes: [WeightFormat: UInt64] = [:]
    for name in tensorNames {
      let tensor = try parts.source.required(name)
      bytes[tensor.format, default: 0] += tensor.byteCount
    }
    let largest = bytes.max { ($0.value, $0.key.rawValue) < ($1.value, $1.key.rawValue) }
    return largest?.key ?? .f32
  }

  /// Whether the output head is the embedding.
  func isTied() throws -> Bool {
    for declared in parts.declaration.model where declared.role == .output {
      if try parts.find(declared, layer: 0) != nil { return false }
    }
    return true
  }

  /// The sizes that the atoms will have, without reading a weight: as they are stored, or with all
  /// atoms but the common one lowered. One list for each of `formats`: the tensors are found once.
  func atomSizes(
    in formats: [WeightFormat?]
  ) throws -> [[(key: AtomKey, byteCount: UInt64)]] {
    let keys = parts.cut.keys
    var lists = [[(key: AtomKey, byteCount: UInt64)]](repeating: [], count: formats.count)
    var sizes = AtomSizes()
    for index in lists.indices { lists[index].reserveCapacity(keys.count) }
    for key in keys {
      let found = try parts.parts(of: key)
      for (index, format) in formats.enumerated() {
        let bytes = try sizes.byteCount(found, loweredTo: key == .common ? nil : format)
        lists[index].append((key, UInt64(bytes)))
      }
    }
    return lists
  }

  // MARK: Atoms

  private func atom(_ key: AtomKey) throws -> AlignedBytes {
    let parts = try parts.parts(of: key).map { $0.lowered(to: precision.formats[key]) }
    let tensors = parts.map(\.tensor)
    let (offsets, total) = try AtomTable.offsets(tensors)
    let bytes = AlignedBytes(count: total)
    let head = AtomTable.head(tensors, offsets: offsets)
    unsafe bytes.mutableBytes.copyBytes(from: head)
    for (part, offset) in zip(parts, offsets) {
      let size = try part.tensor.byteCount()
      let target = unsafe UnsafeMutableRawBufferPointer(
        rebasing: bytes.mutableBytes[offset..<offset + size])
      try unsafe write(part, into: target)
    }
    return bytes
  }

  private func write(_ part: AtomPart, into target: UnsafeMutableRawBufferPointer) throws {
    switch part.tensor.layout {
    case .vector:
      let values = try parts.source.floats(part.source.name)[part.rows]
      for (index, value) in values.enumerated() {
        let value =
          part.place.addsOne ? value + 1 : part.place.isLogarithm ? -Canon.exp(value) : value
        unsafe target.storeBytes(
          of: value.bitPattern.littleEndian, toByteOffset: index * 4, as: UInt32.self)
      }
    case .packed:
      let packer = try MatrixPacker(
        format: part.tensor.format,
        rowWidth: part.place.isTransposed ? part.source.rows : part.source.columns,
        columns: part.columns, rows: part.rows.count)
      let lowered = try part.isLowered ? LoweredRow(part, rowBytes: packer.rowBytes) : nil
      let rowBytes = lowered?.sourceBytes ?? packer.rowBytes
      try unsafe withRows(part) { bytes in
        try unsafe packer.pack(into: target) { row throws(MatrixError) in
          let start = row * rowBytes
          let source = unsafe UnsafeRawBufferPointer(rebasing: bytes[start..<start + rowBytes])
          guard let lowered else { return unsafe source }
          return try unsafe lowered.quantize(source)
        }
      }
    }
  }

  private func withRows(
    _ part: AtomPart, _ body: (UnsafeRawBufferPointer) throws -> Void
  ) throws {
    guard part.place.isTransposed else {
      return try unsafe parts.source.withRows(part.rows, of: part.source, body)
    }
    let rows = try transposed(part)
    try unsafe body(rows.bytes)
  }

  /// Columns of a tensor that is stored as (inputs, outputs), as rows.
  private func transposed(_ part: AtomPart) throws -> AlignedBytes {
    let format = part.source.format
    guard format.blockColumns == 1 else {
      throw ModelError.unsupportedFeature(
        "\(part.source.name) stored in blocks of \(format) along its outputs")
    }
    let (size, inputs) = (format.blockBytes, part.source.rows)
    let rows = AlignedBytes(count: part.rows.count * inputs * size)
    let target = unsafe rows.mutableBytes
    for first in stride(from: 0, to: inputs, by: 64) {
      let some = first..<min(first + 64, inputs)
      try unsafe parts.source.withRows(some, of: part.source) { bytes in
        for input in some {
          let start = (input - first) * part.source.rowBytes + part.rows.lowerBound * size
          for output in 0..<part.rows.count {
            let place = (output * inputs + input) * size
            for byte in 0..<size {
              unsafe target[place + byte] = bytes[start + output * size + byte]
            }
          }
        }
      }
    }
    return rows
  }
}
