// The files of a Hugging Face directory that say how its model reads text.

internal import ShoalProtocol

/// The bytes of those files that are there.
public struct TokenizerFiles: Sendable {
  private var bytes: [String: [UInt8]] = [:]

  /// What to look for, in a directory or on a server. All are optional, though of the first four
  /// one must be there.
  public static let names = [
    "tokenizer.json", "tokenizer.model", "vocab.json", "vocab.txt", "merges.txt",
    "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json",
    "generation_config.json", "config.json", "chat_template.jinja", "chat_template.json",
  ]

  public init() {}

  /// Those that a directory has.
  init(_ directory: any ModelDirectory) throws {
    for name in TokenizerFiles.names {
      bytes[name] = try directory.bytes(name, limit: Limits.tokenizerBytes)
    }
  }

  /// A file by its name; names that are not in `names` are never asked for.
  public subscript(name: String) -> [UInt8]? {
    get { bytes[name] }
    set { bytes[name] = newValue }
  }

  /// The document of a file; nil where it is absent.
  func json(_ name: String) throws(TokenizerError) -> JSONNode? {
    guard let bytes = bytes[name] else { return nil }
    var limits = JSONLimits()
    limits.acceptsPythonNumbers = true
    do {
      return JSONNode(try JSONValue(parsing: bytes, limits: limits), name: name)
    } catch {
      throw .json(file: name, error)
    }
  }

  /// The model's own chat template, in Jinja; nil where it has none. Of several named ones, that
  /// which is called `default`.
  public func chatTemplate() throws(TokenizerError) -> String? {
    if let bytes = bytes["chat_template.jinja"] {
      guard let text = String(validating: bytes, as: UTF8.self) else {
        throw .json(file: "chat_template.jinja", .notUTF8(offset: 0))
      }
      return text
    }
    for file in ["tokenizer_config.json", "chat_template.json"] {
      guard let template = try json(file)?["chat_template"] else { continue }
      do {
        if case .string(let text) = template.value { return text }
        for named in try template.elements() where try named.require("name").string() == "default" {
          return try named.require("template").string()
        }
      } catch {
        throw .json(file: file, error)
      }
    }
    return nil
  }
}
