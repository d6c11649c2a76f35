// `config.json` as a model's header, in the hub's keys and in those that transformers 5 writes:
// where they differ, a `HeaderKey` lists both. Of a model that sees and reads, the part that reads.

internal import ShoalProtocol

public struct HuggingFaceHeader: ModelHeader {
  static let file = "config.json"

  /// Where keys are looked for, in order.
  private let configs: [JSONNode]
  private let directory: String
  /// Whether the text model is a part of a larger one.
  let isPart: Bool
  public let architecture: String

  /// Reads `config.json` of a model's directory.
  public init(_ directory: any ModelDirectory) throws {
    guard let config = try directory.json(Self.file, limit: Limits.modelConfigBytes) else {
      throw ModelDirectoryError.missing(Self.file, directory: directory.name)
    }
    let part = config["text_config"]
    isPart = part != nil
    configs = (part.map { [$0] } ?? []) + [config]
    self.directory = directory.name
    do throws(JSONError) {
      architecture = try (part ?? config).require("model_type").string()
    } catch {
      throw ModelDirectoryError.json(Self.file, directory: directory.name, error)
    }
    if let method = try text(.quantisation) {
      throw ModelError.unsupportedFeature(
        "\(spelling(.quantisation)) says that weights are stored by \(method)")
    }
  }

  public var dialect: TensorDialect { .huggingFace }
  public func spelling(_ key: HeaderKey) -> String {
    key.huggingFace.first.map { "\(Self.file).\($0)" } ?? key.gguf ?? "?"
  }

  public func integer(_ key: HeaderKey) throws -> Int? {
    try value(key) { node throws(JSONError) in try node.integer() }
  }
  public func float(_ key: HeaderKey) throws -> Float? {
    try value(key) { node throws(JSONError) in Float(try node.double()) }
  }
  public func boolean(_ key: HeaderKey) throws -> Bool? {
    try value(key) { node throws(JSONError) in try node.bool() }
  }
  public func text(_ key: HeaderKey) throws -> String? {
    try value(key) { node throws(JSONError) in try node.string() }
  }
  public func integers(_ key: HeaderKey) throws -> [Int]? {
    try list(key) { node throws(JSONError) in try node.integer() }
  }
  public func floats(_ key: HeaderKey) throws -> [Float]? {
    try list(key) { node throws(JSONError) in Float(try node.double()) }
  }
  public func texts(_ key: HeaderKey) throws -> [String]? {
    try list(key) { node throws(JSONError) in try node.string() }
  }

  /// The first spelling that is there and not null.
  private func value<Value>(
    _ key: HeaderKey, _ convert: (JSONNode) throws(JSONError) -> Value
  ) throws -> Value? {
    for config in configs {
      for spelling in key.huggingFace {
        var node: JSONNode? = config
        for part in spelling.split(separator: ".") { node = node?[String(part)] }
        guard let node else { continue }
        do throws(JSONError) {
          return try convert(node)
        } catch {
          throw ModelDirectoryError.json(Self.file, directory: directory, error)
        }
      }
    }
    return nil
  }

  private func list<Value>(
    _ key: HeaderKey, _ convert: (JSONNode) throws(JSONError) -> Value
  ) throws -> [Value]? {
    try value(key) { node throws(JSONError) in
      var values: [Value] = []
      for element in try node.elements() { values.append(try convert(element)) }
      return values
    }
  }
}

extension HeaderKey {
  /// How weights were quantised by a method of its own, such as GPTQ.
  fileprivate static let quantisation = HeaderKey(nil, "quantization_config.quant_method")
}
