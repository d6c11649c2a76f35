// Why a file that a person wrote was refused: once, at start, naming file and key.

public import ShoalSecurity

/// A configuration error.
public enum ConfigurationError: Error, Hashable, Sendable, CustomStringConvertible {
  case unreadable(file: String, SystemCallError)
  case tooLong(file: String, limit: Int, size: UInt64)
  /// `reason` is the parser's own sentence.
  case syntax(file: String, line: Int, column: Int, reason: String)
  case missing(file: String, key: String)
  case wrongType(file: String, key: String, expected: String, found: String)
  case outOfRange(file: String, key: String, value: Int64, allowed: ClosedRange<Int64>)
  case notOneOf(file: String, key: String, value: String, allowed: [String])
  /// A network descriptor whose keys do not fit each other.
  case descriptor(file: String, DescriptorError)
  /// Keys that nobody reads, such as a misspelt one, in ascending order.
  case unknown(file: String, keys: [String])

  public var description: String {
    switch self {
    case .unreadable(let file, let error): "\(file): \(SystemCallError.reason(error.code))"
    case .tooLong(let file, let limit, let size):
      "\(file): \(size) bytes, at most \(limit) are read"
    case .syntax(let file, let line, let column, let reason):
      "\(file):\(line):\(column): \(reason)"
    case .missing(let file, let key): "\(file): the key \(key) is missing"
    case .wrongType(let file, let key, let expected, let found):
      "\(file): \(key) must be \(expected), not \(found)"
    case .outOfRange(let file, let key, let value, let allowed):
      "\(file): \(key) = \(value), allowed is \(allowed.lowerBound) to \(allowed.upperBound)"
    case .notOneOf(let file, let key, let value, let allowed):
      "\(file): \(key) = \"\(value)\", allowed is \(allowed.joined(separator: ", "))"
    case .descriptor(let file, .keyMissing(let admission)):
      "\(file): key is missing, which admission = \"\(admission.name)\" needs"
    case .descriptor(let file, .keyNotExpected):
      "\(file): key is given, but an open network has none"
    case .descriptor(let file, .tooLong(let field, let limit, let count)):
      "\(file): \(field) has \(count), at most \(limit) are allowed"
    case .descriptor(let file, .empty(let field)): "\(file): \(field) is empty"
    case .descriptor(let file, .outOfRange(let field, let limit, let value)):
      "\(file): \(field) = \(value), allowed is 2 to \(limit)"
    case .unknown(let file, let keys): "\(file): unknown: \(keys.joined(separator: ", "))"
    }
  }
}
