// The body and the lines of `POST /api/import`.

/// A GGUF file of the peer's machine that is to become a model.
public struct ImportRequest: Codable, Sendable, Hashable {
  /// On the machine that the peer runs on.
  public var path: String
  /// Nil: the file's name.
  public var name: String?

  public init(path: String, name: String?) {
    self.path = path
    self.name = name
  }
}

public enum ImportEvent: Codable, Sendable, Hashable {
  case progress(doneBytes: UInt64, totalBytes: UInt64)
  case finished(model: ModelFacts)
  case failed(error: ErrorFacts)
}
