// A model from its header alone: its shape, and what every atom will weigh. Enough to plan it; no
// weight is read, and none need be there.

public struct ModelOutline: Sendable {
  public let architecture: String
  public let shape: Hyperparameters
  /// What most weights are stored in.
  public let format: WeightFormat
  /// Whether the output head is the embedding.
  public let isTied: Bool
  /// Every atom of the model, ascending.
  public let sizes: [(key: AtomKey, byteCount: UInt64)]
  private let importer: ModelImporter

  /// Reads the header of a GGUF file, which may end there; or `config.json`, with the headers of
  /// the safetensors where the directory has any. Where it has none, the weights are taken to be
  /// stored as the configuration says, without what only some models of the family have (biases).
  ///
  /// - Throws: what `ModelReading` throws.
  public init(_ files: ModelFiles) throws {
    do {
      switch files {
      case .gguf(let source):
        let file = try GGUFFile(source, isWhole: false)
        try self.init(ModelDescription(header: GGUFModelHeader(file.metadata), weights: file))
      case .directory(let directory):
        let header = try HuggingFaceHeader(directory)
        let hasWeights = try directory.fileNames().contains { $0.hasSuffix(".safetensors") }
        let weights: any WeightSource =
          if hasWeights {
            header.weights(of: try SafetensorsCheckpoint(directory))
          } else {
            try PromisedWeights.promised(by: header, name: directory.name)
          }
        try self.init(
          ModelDescription(
            header: header, weights: weights, sentences: SentenceModules(directory)))
      }
    } catch let reason as ModelError {
      throw ModelFileError(file: files.name, reason: reason)
    }
  }

  private init(_ model: ModelDescription) throws {
    let importer = try ModelImporter(model)
    architecture = importer.architecture
    shape = importer.shape
    format = try importer.dominantFormat()
    isTied = try importer.isTied()
    sizes = try importer.atomSizes(in: [nil])[0]
    self.importer = importer
  }

  /// Bytes of every atom where all but the common one are lowered (`PrecisionMap`), best first:
  /// reckoned when somebody asks.
  public func lowerSizes() throws -> [(
    format: WeightFormat, sizes: [(key: AtomKey, byteCount: UInt64)]
  )] {
    let formats: [WeightFormat] = [.f16, .q8_0, .q4_0]
    return zip(formats, try importer.atomSizes(in: formats)).map { ($0, $1) }
  }
}

/// The tensors that a `config.json` promises: their sizes are known, their numbers are not there.
struct PromisedWeights: WeightSource {
  let name: String
  var dialect: TensorDialect { .huggingFace }
  private(set) var tensorNames: [String] = []
  private var tensors: [String: WeightTensor] = [:]

  /// None at all.
  init(name: String) { self.name = name }

  static func promised(by header: HuggingFaceHeader, name: String) throws -> PromisedWeights {
    var weights = PromisedWeights(name: name)
    let format = try header.storedFormat()
    let declaration = try ModelDeclaration(ModelDescription(header: header, weights: weights))
    for declared in declaration.model where !declared.isOptional {
      try weights.add(declared, layer: 0, declaration.shape, format)
    }
    for layer in 0..<declaration.shape.layers {
      for declared in declaration.layer where !declared.isOptional {
        try weights.add(declared, layer: layer, declaration.shape, format)
      }
    }
    return weights
  }

  /// Parts of a fused tensor name it several times.
  private mutating func add(
    _ declared: TensorDeclaration, layer: Int, _ shape: Hyperparameters, _ format: WeightFormat
  ) throws {
    guard let place = declared.huggingFace else { return }
    let stored = place.storedShape(declared.role, shape)
    for member in 0..<place.memberCount(declared.role, shape) {
      let name = place.name(layer: layer, member: member)
      guard tensors[name] == nil else { continue }
      tensors[name] = try WeightTensor(
        name: name, rows: stored.rows, columns: stored.columns, format: format)
      tensorNames.append(name)
    }
  }

  func tensor(_ name: String) -> WeightTensor? { tensors[name] }

  func withRows<Result>(
    _ rows: Range<Int>, of tensor: WeightTensor,
    _ body: (UnsafeRawBufferPointer) throws -> Result
  ) throws -> Result {
    throw ModelError.missingTensor(tensor.name)
  }
}

extension HuggingFaceHeader {
  /// What the weights are stored in; f32 where nothing is said, as transformers takes it.
  fileprivate func storedFormat() throws -> WeightFormat {
    switch try text(.storedType) {
    case "float32", nil: .f32
    case "float16": .f16
    case "bfloat16": .bf16
    case let other?:
      throw ModelError.unsupportedFeature("\(spelling(.storedType)) says that weights are \(other)")
    }
  }
}

extension HeaderKey {
  fileprivate static let storedType = HeaderKey(nil, "dtype", "torch_dtype")
}
