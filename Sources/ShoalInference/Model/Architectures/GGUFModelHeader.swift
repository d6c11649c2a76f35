// GGUF metadata as a model's header (keys: `docs/gguf.md` in ggml's repository, section "LLM").

import ShoalProtocol

public struct GGUFModelHeader: ModelHeader {
  private let metadata: GGUFMetadata
  /// In front of most keys.
  private let prefix: String

  public init(_ metadata: GGUFMetadata) throws {
    self.metadata = metadata
    prefix = try metadata.string("general.architecture")
  }

  public var dialect: TensorDialect { .gguf }
  public var architecture: String { prefix }
  public func spelling(_ key: HeaderKey) -> String {
    key.gguf.map { "\(prefix).\($0)" } ?? key.huggingFace.first ?? "?"
  }

  public func integer(_ key: HeaderKey) throws -> Int? {
    try key.gguf.flatMap { try metadata.integerIfPresent("\(prefix).\($0)") }
  }
  public func float(_ key: HeaderKey) throws -> Float? {
    try key.gguf.flatMap { try metadata.floatIfPresent("\(prefix).\($0)") }
  }
  public func boolean(_ key: HeaderKey) throws -> Bool? {
    try key.gguf.flatMap { try metadata.boolIfPresent("\(prefix).\($0)") }
  }
  public func text(_ key: HeaderKey) throws -> String? {
    try key.gguf.flatMap { try metadata.stringIfPresent("\(prefix).\($0)") }
  }
  public func integers(_ key: HeaderKey) throws -> [Int]? {
    try key.gguf.flatMap { try metadata.integersIfPresent("\(prefix).\($0)") }
  }
  public func floats(_ key: HeaderKey) throws -> [Float]? {
    try key.gguf.flatMap { try metadata.floatsIfPresent("\(prefix).\($0)") }
  }
  public func texts(_ key: HeaderKey) throws -> [String]? {
    try key.gguf.flatMap { key in
      try metadata.stringsIfPresent("\(prefix).\(key)")?
        .map { String(decoding: $0, as: UTF8.self) }
    }
  }
}
