// Why an answer cannot be held to a schema: what, and where in the schema.

public enum SchemaError: Error, Hashable, Sendable {
  /// The text is no JSON.
  case json(JSONError)
  /// A keyword, or a value of one, that answers cannot be held to.
  case unsupported(path: String, hint: String)
  case wrongType(path: String, wanted: String)
  case unresolved(path: String, reference: String)
  /// The schema compiles to more than `limit` nodes.
  case tooLarge(limit: Int)
  /// No answer satisfies the schema.
  case nothing
}

extension SchemaError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .json(let error): "the schema is not valid: \(error)"
    case .unsupported(let path, let hint): "the schema's `\(path)` is not supported: \(hint)"
    case .wrongType(let path, let wanted): "the schema's `\(path)` must be \(wanted)"
    case .unresolved(let path, let reference):
      "the schema's `\(path)` refers to `\(reference)`, which is not there"
    case .tooLarge(let limit): "the schema needs more than \(limit) nodes"
    case .nothing: "no answer satisfies the schema"
    }
  }
}
