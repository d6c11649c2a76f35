// Which files a repository has, and which of them a model needs.

public import ShoalInference
public import ShoalProtocol

/// One file of a repository.
public struct HubFile: Hashable, Sendable {
  public let name: String
  public let byteCount: UInt64?
  /// Of files in large-file storage only.
  public let sha256: Bytes32?

  public init(name: String, byteCount: UInt64?, sha256: Bytes32?) {
    self.name = name
    self.byteCount = byteCount
    self.sha256 = sha256
  }
}

/// Why nothing of a repository can be pulled.
public enum HubError: Error, Hashable, Sendable, CustomStringConvertible {
  case noFile(String, repository: String)
  /// Several GGUF files, of which a person has to name one.
  case ambiguous([String], repository: String)
  case noWeights(repository: String)
  /// One GGUF model in several files.
  case splitFile(String)

  public var description: String {
    switch self {
    case .noFile(let name, let repository): "\(repository) has no file \(name)"
    case .ambiguous(let names, let repository):
      "\(repository) has several models; add one of these: \(names.joined(separator: ", "))"
    case .noWeights(let repository): "\(repository) has neither safetensors nor a GGUF file"
    case .splitFile(let name): "\(name) is one part of a split GGUF file, which is not read"
    }
  }
}

/// The files of a repository at one commit.
public struct HubListing: Hashable, Sendable {
  public let commit: String
  public let files: [HubFile]

  public init(commit: String, files: [HubFile]) {
    self.commit = commit
    self.files = files
  }

  /// Reads the hub's answer. Names that lead anywhere else are left out.
  public init(_ json: JSONNode) throws(JSONError) {
    commit = try json.require("sha").string()
    var files: [HubFile] = []
    for node in try json.require("siblings").elements() {
      let name = try node.require("rfilename").string()
      guard FileName.isRelative(name) else { continue }
      let large = node["lfs"]
      let size = try (large?["size"] ?? node["size"])?.integer(in: 0...Int.max)
      let digest = try large?["sha256"]?.string()
      files.append(
        HubFile(
          name: name, byteCount: size.map { UInt64($0) },
          sha256: digest.flatMap { Bytes32(hex: $0) }))
    }
    self.files = files
  }

  /// What is pulled: the file that was named, else safetensors with what belongs to them, else the
  /// one GGUF file that there is.
  public func selection(_ file: String?, repository: String) throws(HubError) -> [HubFile] {
    if let file {
      guard let found = files.first(where: { $0.name == file }) else {
        throw .noFile(file, repository: repository)
      }
      try HubListing.refuseSplit(file)
      return [found]
    }
    let weights = files.filter { HubListing.isWeights($0.name) }
    if !weights.isEmpty {
      return files.filter { HubListing.companions.contains($0.name) } + weights
    }
    let models = files.filter { $0.name.hasSuffix(".gguf") }
    guard let only = models.first else { throw .noWeights(repository: repository) }
    guard models.count == 1 else {
      throw .ambiguous(models.map(\.name).sorted(), repository: repository)
    }
    try HubListing.refuseSplit(only.name)
    return [only]
  }

  private static func refuseSplit(_ name: String) throws(HubError) {
    guard name.hasSuffix(".gguf"), name.contains("-00001-of-") else { return }
    throw .splitFile(name)
  }

  /// `model.safetensors`, or shards and the index that joins them.
  private static func isWeights(_ name: String) -> Bool {
    name == "model.safetensors" || name == "model.safetensors.index.json"
      || name.hasPrefix("model-") && name.hasSuffix(".safetensors") && name.contains("-of-")
  }

  /// Small files that say how the weights are used.
  private static let companions: Set<String> = [
    "config.json", "generation_config.json", "tokenizer.json", "tokenizer.model",
    "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "vocab.json",
    "vocab.txt", "merges.txt", "chat_template.jinja", "chat_template.json", "modules.json",
    "config_sentence_transformers.json", "sentence_bert_config.json", "1_Pooling/config.json",
  ]
}
