// A family of models: what its files are called, how its header reads, which tensors it has. Adding
// one is a file in this folder and a line in `all` (docs/ADDING_A_MODEL.md).

public struct Architecture: Sendable {
  /// How Shoal calls it.
  public let name: String
  /// `general.architecture` of GGUF files.
  public let gguf: [String]
  /// `model_type` of `config.json`.
  public let huggingFace: [String]
  /// What checkpoints of the bare model, without a head, leave out in front of tensor names.
  let prefix: String
  /// Endings of tensors that some checkpoints have and nothing needs, such as masks.
  let ignored: [String]
  /// Endings of names that older checkpoints spell otherwise.
  let synonyms: [String: String]
  let shape: @Sendable (ModelDescription) throws -> Hyperparameters
  let tensors: @Sendable (Hyperparameters) -> [TensorDeclaration]

  init(
    _ name: String, gguf: [String], huggingFace: [String], prefix: String = "model.",
    ignored: [String] = [], synonyms: [String: String] = [:],
    shape: @escaping @Sendable (ModelDescription) throws -> Hyperparameters,
    tensors: @escaping @Sendable (Hyperparameters) -> [TensorDeclaration]
  ) {
    self.name = name
    self.gguf = gguf
    self.huggingFace = huggingFace
    self.prefix = prefix
    self.ignored = ignored
    self.synonyms = synonyms
    self.shape = shape
    self.tensors = tensors
  }

  public static let all: [Architecture] = [
    .llama, .qwen2, .qwen3, .qwen2MoE, .qwen3MoE, .gpt2, .gptNeoX, .stableLM, .granite, .smolLM3,
    .olmo2, .gemma, .gemma2, .gemma3, .phi3, .falcon, .starCoder2, .mamba,
    .bert, .roberta, .distilBERT, .nomicBERT,
  ]

  /// The family of a file, by the name that the file gives. An unknown one is refused with the list
  /// of those that are known.
  public static func named(
    _ name: String, _ dialect: TensorDialect
  ) throws(ModelError) -> Architecture {
    let names = { (architecture: Architecture) in
      switch dialect {
      case .gguf: architecture.gguf
      case .huggingFace: architecture.huggingFace
      }
    }
    guard let match = all.first(where: { names($0).contains(name) }) else {
      throw .unknownArchitecture(name, known: all.flatMap(names).sorted())
    }
    return match
  }
}

/// A family at one shape: what an import, or a plan without weights, goes by.
public struct ModelDeclaration: Sendable {
  public let architecture: String
  public let shape: Hyperparameters
  /// Tensors of the whole model, and those that each layer has.
  public let model: [TensorDeclaration]
  public let layer: [TensorDeclaration]
  private let prefix: String
  private let ignored: [String]
  private let synonyms: [String: String]

  /// Reads the header of `model`. What its family cannot do is refused by name.
  public init(_ model: ModelDescription) throws {
    let family = try Architecture.named(model.header.architecture, model.dialect)
    architecture = family.name
    var shape = try family.shape(model)
    shape.head.pooling = try model.statedPooling() ?? shape.head.pooling
    shape.context = min(shape.context, model.sentences.longestText ?? shape.context)
    self.shape = try shape.checked()
    let tensors = family.tensors(shape)
    let head = try Head(model)
    self.model = head.settled(tensors.filter { !$0.isOfLayer })
    layer = tensors.filter(\.isOfLayer)
    prefix = family.prefix
    synonyms = family.synonyms
    // Tables of rotary positions, which the header's figures give.
    ignored =
      family.ignored + head.ignored(tensors)
      + (model.isGGUF
        ? ["rope_freqs.weight", "rope_factors_long.weight", "rope_factors_short.weight"]
        : ["rotary_emb.inv_freq"])
  }

  /// What a header says of the output head.
  private enum Head {
    /// A file that has one of its own uses it.
    case unsaid
    /// It is the embedding; what a checkpoint has under its name is a copy.
    case tied
    case ownMatrix

    init(_ model: ModelDescription) throws {
      self =
        switch try model.header.boolean(.isTied) {
        case nil: .unsaid
        case true?: .tied
        case false?: .ownMatrix
        }
    }

    func settled(_ tensors: [TensorDeclaration]) -> [TensorDeclaration] {
      switch self {
      case .unsaid: tensors
      case .tied: tensors.filter { $0.role != .output }
      case .ownMatrix:
        tensors.map { $0.role == .output ? .init(.output, $0.gguf, $0.huggingFace) : $0 }
      }
    }

    func ignored(_ tensors: [TensorDeclaration]) -> [String] {
      guard self == .tied else { return [] }
      return tensors.filter { $0.role == .output }.compactMap(\.huggingFace?.name)
    }
  }

  /// How a checkpoint may spell a name: as declared, without the family's prefix, or with an older
  /// ending.
  func spellings(_ name: String) -> [String] {
    var names = [name]
    if name.hasPrefix(prefix) { names.append(String(name.dropFirst(prefix.count))) }
    guard let synonym = synonyms.first(where: { name.hasSuffix($0.key) }) else { return names }
    return names + names.map { $0.dropLast(synonym.key.count) + synonym.value }
  }

  func ignores(_ name: String) -> Bool { ignored.contains { name.hasSuffix($0) } }
}
