// How sentence-transformers' files say that a text becomes a vector: `modules.json` lists the steps
// behind the model's rows (sbert.net, "Creating Custom Models").

public import ShoalProtocol

/// What files beside `config.json` say of vectors.
public struct SentenceModules: Sendable, Hashable {
  /// Nil where there is no `modules.json`.
  public var pooling: PoolingOptions?
  /// Tokens of a text that are read; nil: as many as the model has positions.
  public var longestText: Int?

  public init(pooling: PoolingOptions? = nil, longestText: Int? = nil) {
    self.pooling = pooling
    self.longestText = longestText
  }

  /// Reads the files of a model's directory. A step that is not computed is refused by its name.
  public init(_ directory: any ModelDirectory) throws {
    self.init()
    let file = "modules.json"
    if let modules = try directory.json(file, limit: Limits.modelConfigBytes) {
      let steps: [Step]
      do throws(JSONError) { steps = try Step.all(modules) } catch {
        throw ModelDirectoryError.json(file, directory: directory.name, error)
      }
      for step in steps { try take(step, directory) }
    }
    let sizes = try directory.fileNames().first {
      $0.hasPrefix("sentence_") && $0.hasSuffix("_config.json")
    }
    if let sizes { longestText = try Self.longestText(sizes, directory) }
  }

  /// An entry of `modules.json`.
  private struct Step {
    /// The last part of its class's name.
    let kind: String
    let path: String

    static func all(_ modules: JSONNode) throws(JSONError) -> [Step] {
      var steps: [Step] = []
      for module in try modules.elements() {
        let type = try module.require("type").string()
        steps.append(
          Step(
            kind: type.split(separator: ".").last.map(String.init) ?? type,
            path: try module["path"]?.string() ?? ""))
      }
      return steps
    }
  }

  private mutating func take(_ step: Step, _ directory: any ModelDirectory) throws {
    switch step.kind {
    case "Transformer": break
    case "Pooling":
      let file = "\(step.path)/config.json"
      guard let config = try directory.json(file, limit: Limits.modelConfigBytes) else {
        throw ModelDirectoryError.missing(file, directory: directory.name)
      }
      let modes: [String]
      do throws(JSONError) { modes = try Self.modes(config) } catch {
        throw ModelDirectoryError.json(file, directory: directory.name, error)
      }
      guard modes.count == 1, let kind = Self.kinds[modes[0]] else {
        throw ModelError.unsupportedFeature("pooling by \(modes.joined(separator: " and "))")
      }
      pooling = PoolingOptions(kind, isNormalised: false)
    case "Normalize": pooling?.isNormalised = true
    case let other: throw ModelError.unsupportedFeature("the module \(other) of modules.json")
    }
  }

  private static let kinds: [String: Pooling] = [
    "mean": .mean, "mean_tokens": .mean, "cls": .first, "cls_token": .first, "lasttoken": .last,
    "last_token": .last,
  ]

  /// The modes that are on: one flag each, or one by name.
  private static func modes(_ config: JSONNode) throws(JSONError) -> [String] {
    if let mode = config["pooling_mode"] { return [try mode.string()] }
    let prefix = "pooling_mode_"
    var modes: [String] = []
    for (key, node) in try config.members() where key.hasPrefix(prefix) {
      if try node.bool() { modes.append(String(key.dropFirst(prefix.count))) }
    }
    return modes
  }

  private static func longestText(
    _ file: String, _ directory: any ModelDirectory
  ) throws -> Int? {
    guard let config = try directory.json(file, limit: Limits.modelConfigBytes) else { return nil }
    do throws(JSONError) {
      return try config["max_seq_length"]?.integer(in: 1...(1 << 24))
    } catch {
      throw ModelDirectoryError.json(file, directory: directory.name, error)
    }
  }
}
