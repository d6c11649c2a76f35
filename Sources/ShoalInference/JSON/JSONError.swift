// Why a JSON document was refused: where in its bytes, or at which key.

public enum JSONError: Error, Hashable, Sendable {
  case tooLarge(limit: Int, bytes: Int)
  case tooDeep(limit: Int, offset: Int)
  case tooManyValues(limit: Int, offset: Int)
  case truncated(offset: Int)
  case unexpected(byte: UInt8, wanted: String, offset: Int)
  case trailing(offset: Int)
  /// A number that RFC 8259 does not allow, or one beyond a double.
  case number(offset: Int)
  case escape(offset: Int)
  /// A control character that must be escaped.
  case control(byte: UInt8, offset: Int)
  case notUTF8(offset: Int)
  /// Two members of one object have this key.
  case duplicate(key: String, offset: Int)
  /// A member that must be there, by its path, such as `model.vocab`.
  case missing(path: String)
  case type(path: String, wanted: String, found: String)
  /// A number or text that cannot be what the key stands for.
  case value(path: String, wanted: String, found: String)
}

extension JSONError: CustomStringConvertible {
  /// One line for a person.
  public var description: String {
    switch self {
    case .tooLarge(let limit, let bytes): "JSON: \(bytes) bytes, the limit is \(limit)"
    case .tooDeep(let limit, let offset): "JSON: nested deeper than \(limit) at byte \(offset)"
    case .tooManyValues(let limit, let offset):
      "JSON: more than \(limit) values at byte \(offset)"
    case .truncated(let offset): "JSON: ends too early, at byte \(offset)"
    case .unexpected(let byte, let wanted, let offset):
      "JSON: byte \(byte) instead of \(wanted) at byte \(offset)"
    case .trailing(let offset): "JSON: goes on after its end, at byte \(offset)"
    case .number(let offset): "JSON: no number at byte \(offset)"
    case .escape(let offset): "JSON: no valid escape at byte \(offset)"
    case .control(let byte, let offset): "JSON: control character \(byte) at byte \(offset)"
    case .notUTF8(let offset): "JSON: no UTF-8 in the string at byte \(offset)"
    case .duplicate(let key, let offset): "JSON: a second \(key.debugDescription) at byte \(offset)"
    case .missing(let path): "JSON: \(path) is missing"
    case .type(let path, let wanted, let found): "JSON: \(path) is \(found), not \(wanted)"
    case .value(let path, let wanted, let found): "JSON: \(path) is \(found), not \(wanted)"
    }
  }
}
