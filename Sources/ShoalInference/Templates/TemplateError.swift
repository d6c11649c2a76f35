// Why a chat template cannot be read or rendered, with the line where that is.

public enum TemplateError: Error, Sendable, Hashable {
  /// The template is not Jinja.
  case syntax(line: Int, reason: String)
  /// Jinja, but outside the subset (docs/GLOSSARY.md, "chat template").
  case unsupported(line: Int, construct: String)
  /// An expression met a value that it cannot use.
  case failed(line: Int, reason: String)
  /// The template refused the conversation by `raise_exception`.
  case refused(String)
  case tooManySteps(limit: Int)
  case outputTooLong(limit: Int)
  case tooLarge(bytes: Int, limit: Int)
}

extension TemplateError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .syntax(let line, let reason): "chat template, line \(line): \(reason)"
    case .unsupported(let line, let construct):
      "chat template, line \(line): \(construct) is outside the subset of Jinja that is known"
    case .failed(let line, let reason): "chat template, line \(line): \(reason)"
    case .refused(let message): "the chat template refuses the conversation: \(message)"
    case .tooManySteps(let limit): "the chat template takes more than \(limit) steps"
    case .outputTooLong(let limit): "the chat template gives more than \(limit) bytes"
    case .tooLarge(let bytes, let limit):
      "the chat template has \(bytes) bytes, at most \(limit) are read"
    }
  }
}
