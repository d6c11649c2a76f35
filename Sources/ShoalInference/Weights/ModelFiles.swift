// What a model comes as, and what is read of it before its weights: shape, tokenizer, template.

internal import ShoalProtocol

/// The files of one model, opened and not yet read.
public enum ModelFiles: Sendable {
  /// One file that has everything.
  case gguf(any ByteSource)
  /// `config.json`, safetensors and the tokenizer's files, as the hub has them.
  case directory(any ModelDirectory)

  /// What a person calls them: a path.
  public var name: String {
    switch self {
    case .gguf(let source): source.name
    case .directory(let directory): directory.name
    }
  }
}

extension ModelFiles {
  /// The model's chat template, in Jinja, read or not; empty where it has none.
  public func chatTemplate() throws -> String {
    switch self {
    case .gguf(let source):
      try GGUFFile(source, isWhole: false).metadata.stringIfPresent("tokenizer.chat_template") ?? ""
    case .directory(let directory): try TokenizerFiles(directory).chatTemplate() ?? ""
    }
  }
}

/// A model that is understood, and ready to be cut.
public struct ModelReading {
  public let importer: ModelImporter
  public let tokenizer: TokenizerDefinition
  /// In Jinja; empty where the model has none.
  public let chatTemplate: String
  /// Bytes of the files with the weights.
  public let byteCount: UInt64

  /// Reads all headers and checks every tensor against what the family declares.
  ///
  /// - Parameter precision: atoms that are to be stored in lower formats than the files'.
  /// - Throws: `ModelFileError`, `GGUFError`, `SafetensorsError`, `ModelDirectoryError` or
  ///   `ModelTokenizerError`, each with the name of what is wrong.
  public init(_ files: ModelFiles, precision: PrecisionMap = PrecisionMap()) throws {
    self = try ModelReading.naming(files.name) {
      switch files {
      case .gguf(let source): try ModelReading(gguf: source, precision)
      case .directory(let directory): try ModelReading(directory: directory, precision)
      }
    }
  }

  /// Whether a model will be understood, by the files of its directory that are no weights: what
  /// can be known before gigabytes are downloaded.
  ///
  /// - Throws: as `init`.
  public static func check(withoutWeights directory: any ModelDirectory) throws {
    try naming(directory.name) {
      let header = try HuggingFaceHeader(directory)
      _ = try ModelDeclaration(
        ModelDescription(
          header: header, weights: PromisedWeights(name: directory.name),
          sentences: SentenceModules(directory)))
      _ = try TokenizerDefinition(huggingFace: TokenizerFiles(directory))
    }
  }

  /// Puts the name of the file or directory before a refusal.
  private static func naming<Result>(_ name: String, _ read: () throws -> Result) throws -> Result {
    do { return try read() } catch let reason as ModelError {
      throw ModelFileError(file: name, reason: reason)
    } catch let reason as TokenizerError {
      throw ModelTokenizerError(file: name, reason: reason)
    }
  }

  private init(gguf source: any ByteSource, _ precision: PrecisionMap) throws {
    let file = try GGUFFile(source)
    importer = try ModelImporter(
      ModelDescription(header: GGUFModelHeader(file.metadata), weights: file), precision: precision)
    tokenizer = try TokenizerDefinition(gguf: file.metadata)
    chatTemplate = try file.metadata.stringIfPresent("tokenizer.chat_template") ?? ""
    byteCount = source.byteCount
  }

  private init(directory: any ModelDirectory, _ precision: PrecisionMap) throws {
    let header = try HuggingFaceHeader(directory)
    let checkpoint = try SafetensorsCheckpoint(directory)
    importer = try ModelImporter(
      ModelDescription(
        header: header, weights: header.weights(of: checkpoint),
        sentences: SentenceModules(directory)), precision: precision)
    let files = try TokenizerFiles(directory)
    tokenizer = try TokenizerDefinition(huggingFace: files)
    chatTemplate = try files.chatTemplate() ?? ""
    byteCount = checkpoint.files.reduce(0) { $0 + $1.source.byteCount }
  }
}

/// A refusal of a model with the name of its file or directory.
public struct ModelFileError: Error, Hashable, Sendable, CustomStringConvertible {
  public let file: String
  public let reason: ModelError

  public init(file: String, reason: ModelError) {
    self.file = file
    self.reason = reason
  }

  public var description: String { "\(file): \(reason)" }
}

/// A refusal of a model's tokenizer with the name of the model's file or directory.
public struct ModelTokenizerError: Error, Sendable, CustomStringConvertible {
  public let file: String
  public let reason: TokenizerError

  public var description: String { "\(file): \(reason)" }
}
