// Cuts a model file into atoms and writes its manifest. Weights keep their stored bits; only their
// order in memory changes. One atom is in memory at a time, however large the file is.

public import ShoalProtocol

/// A model's tensors on their way into atoms.
public struct ModelImporter {
  /// How far an import has come, in bytes of atoms.
  public typealias Progress = (_ done: UInt64, _ total: UInt64) -> Void
  /// Keeps a blob and says what it is called.
  public typealias Keep = (UnsafeRawBufferPointer) throws -> BlobID

  private let source: any WeightSource
  private let declaration: ModelDeclaration
  private let cut: AtomCut

  /// Reads the header of a GGUF file.
  public init(_ file: GGUFFile) throws {
    let architecture = try file.metadata.string("general.architecture")
    guard architecture == Llama.architecture else {
      throw ModelError.unknownArchitecture(architecture, known: [Llama.architecture])
    }
    try self.init(file, Llama.declaration(try Llama.shape(file)))
  }

  /// Checks that every declared tensor is there, of the right shape and in a format that kernels
  /// know, and that no other tensor is.
  init(_ source: any WeightSource, _ declaration: ModelDeclaration) throws {
    self.source = source
    self.declaration = declaration
    cut = AtomCut(declaration.shape)
    try checkTensors()
  }

  public var shape: Hyperparameters { declaration.shape }

  /// Cuts the whole model.
  ///
  /// - Parameters:
  ///   - tokenizer: canonical bytes of the tokenizer's definition.
  ///   - keep: stores a blob durably; called once an atom, in the order of the keys.
  public func run(
    tokenizer: [UInt8], chatTemplate: String, keep: Keep, progress: Progress
  ) throws -> ModelManifest {
    let total = try source.tensorNames.reduce(0) { try $0 + source.required($1).byteCount }
    var done: UInt64 = 0
    var atoms: [AtomEntry] = []
    for key in cut.keys {
      let bytes = try atom(key)
      let blob = try unsafe keep(bytes.bytes)
      atoms.append(AtomEntry(key: key, blob: blob, byteCount: UInt64(bytes.count)))
      done += UInt64(bytes.count)
      progress(min(done, total), total)
    }
    progress(total, total)
    return ModelManifest(
      architecture: declaration.architecture, shape: declaration.shape, unitExponent: 18,
      tokenizer: try unsafe tokenizer.withUnsafeBytes { try unsafe keep($0) },
      tokenizerByteCount: UInt64(tokenizer.count), chatTemplate: chatTemplate,
      format: try dominantFormat(), atoms: atoms)
  }

  // MARK: Checks

  private func checkTensors() throws {
    var known: Set<String> = ["rope_freqs.weight"]
    for tensor in declaration.model {
      known.insert(tensor.name)
      try check(tensor, name: tensor.name)
    }
    for layer in 0..<declaration.shape.layers {
      for tensor in declaration.layer {
        let name = tensor.name(layer: layer)
        known.insert(name)
        try check(tensor, name: name)
      }
    }
    if let stranger = source.tensorNames.first(where: { !known.contains($0) }) {
      throw ModelError.unsupportedFeature("tensor \(stranger)")
    }
  }

  private func check(_ declared: TensorDeclaration, name: String) throws {
    guard let found = try source.tensor(name) else {
      if declared.optional { return }
      throw ModelError.missingTensor(name)
    }
    guard found.rows == declared.rows, found.columns == declared.columns else {
      throw ModelError.wrongShape(
        tensor: name, expected: [declared.rows, declared.columns],
        found: [found.rows, found.columns])
    }
  }

  /// The format that most bytes of the source are in.
  private func dominantFormat() throws -> WeightFormat {
    var bytes: [WeightFormat: UInt64] = [:]
    for name in source.tensorNames {
      let tensor = try source.required(name)
      bytes[tensor.format, default: 0] += tensor.byteCount
    }
    let largest = bytes.max { ($0.value, $0.key.rawValue) < ($1.value, $1.key.rawValue) }
    return largest?.key ?? .f32
  }

  // MARK: Atoms

  /// One tensor's part in an atom: whole rows, or columns of all rows.
  private struct Part {
    let tensor: AtomTensor
    let name: String
    let rows: Range<Int>
    let columns: Range<Int>
  }

  private func atom(_ key: AtomKey) throws -> AlignedBytes {
    let parts = try parts(of: key)
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

  private func write(_ part: Part, into target: UnsafeMutableRawBufferPointer) throws {
    switch part.tensor.layout {
    case .vector:
      for (index, value) in try source.floats(part.name).enumerated() {
        unsafe target.storeBytes(
          of: value.bitPattern.littleEndian, toByteOffset: index * 4, as: UInt32.self)
      }
    case .packed:
      let tensor = try source.required(part.name)
      let packer = try MatrixPacker(
        format: tensor.format, rowWidth: tensor.columns, columns: part.columns,
        rows: part.rows.count)
      try unsafe source.withRows(part.rows, of: tensor) { bytes in
        try unsafe packer.pack(into: target) { row throws(MatrixError) in
          let start = row * packer.rowBytes
          return unsafe UnsafeRawBufferPointer(rebasing: bytes[start..<start + packer.rowBytes])
        }
      }
    }
  }

  private func parts(of key: AtomKey) throws -> [Part] {
    switch key {
    case .common: return try commonParts()
    case .embedding(let block):
      return [try vocabularyPart(.embedding, rows: cut.vocabularyRows(block))]
    case .output(let block):
      let isTied = try source.tensor("output.weight") == nil
      return [
        try vocabularyPart(isTied ? .embedding : .output, rows: cut.vocabularyRows(block))
      ]
    case .attention(let layer, let group):
      return try declaration.layer.flatMap { tensor in
        try attentionParts(tensor, name: tensor.name(layer: layer), group: group)
      }
    case .feedForward(let layer, let block):
      return try declaration.layer.compactMap { tensor in
        try feedForwardPart(
          tensor, name: tensor.name(layer: layer), units: cut.feedForwardColumns(block))
      }
    }
  }

  private func commonParts() throws -> [Part] {
    var parts: [Part] = []
    for tensor in declaration.model where tensor.split == .whole {
      parts.append(vectorPart(tensor, name: tensor.name, index: 0))
    }
    for layer in 0..<declaration.shape.layers {
      for tensor in declaration.layer where tensor.split == .whole {
        parts.append(vectorPart(tensor, name: tensor.name(layer: layer), index: layer))
      }
    }
    return parts
  }

  private func vectorPart(_ declared: TensorDeclaration, name: String, index: Int) -> Part {
    Part(
      tensor: AtomTensor(
        role: declared.role, index: index, layout: .vector, format: .f32, rows: declared.rows,
        firstColumn: 0, columns: declared.columns),
      name: name, rows: 0..<declared.rows, columns: 0..<declared.columns)
  }

  /// Embedding rows and output rows are stored under one role, so that the atoms of a tied model
  /// are one blob.
  private func vocabularyPart(_ role: TensorRole, rows: Range<Int>) throws -> Part {
    let name = role == .embedding ? "token_embd.weight" : "output.weight"
    return try packedPart(
      .embedding, name: name, index: 0, rows: rows, columns: 0..<declaration.shape.hidden)
  }

  private func attentionParts(
    _ declared: TensorDeclaration, name: String, group: Int
  ) throws -> [Part] {
    let shape = declaration.shape
    let heads = group * shape.headsPerGroup..<(group + 1) * shape.headsPerGroup
    let wide = { (range: Range<Int>) in
      range.lowerBound * shape.headDimension..<range.upperBound * shape.headDimension
    }
    let all = 0..<declared.columns
    switch declared.split {
    case .queryHeadRows:
      return [try packedPart(declared.role, name: name, index: 0, rows: wide(heads), columns: all)]
    case .keyValueHeadRows:
      return [
        try packedPart(
          declared.role, name: name, index: 0, rows: wide(group..<group + 1), columns: all)
      ]
    case .queryHeadColumns:
      return try heads.map { head in
        try packedPart(
          declared.role, name: name, index: head, rows: 0..<declared.rows,
          columns: wide(head..<head + 1))
      }
    case .whole, .vocabularyRows, .feedForwardRows, .feedForwardColumns:
      return []
    }
  }

  private func feedForwardPart(
    _ declared: TensorDeclaration, name: String, units: Range<Int>
  ) throws -> Part? {
    switch declared.split {
    case .feedForwardRows:
      return try packedPart(
        declared.role, name: name, index: 0, rows: units, columns: 0..<declared.columns)
    case .feedForwardColumns:
      return try packedPart(
        declared.role, name: name, index: 0, rows: 0..<declared.rows, columns: units)
    case .whole, .vocabularyRows, .queryHeadRows, .keyValueHeadRows, .queryHeadColumns:
      return nil
    }
  }

  private func packedPart(
    _ role: TensorRole, name: String, index: Int, rows: Range<Int>, columns: Range<Int>
  ) throws -> Part {
    Part(
      tensor: AtomTensor(
        role: role, index: index, layout: .packed, format: try source.required(name).format,
        rows: rows.count, firstColumn: columns.lowerBound, columns: columns.count),
      name: name, rows: rows, columns: columns)
  }
}
