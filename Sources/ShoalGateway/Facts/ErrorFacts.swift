// An error as every route answers it, in the shape of OpenAI's API.

/// One error: a sentence for a person, and words for a program.
public struct ErrorFacts: Codable, Sendable, Hashable {
  /// What, where, and what to do next.
  public let message: String
  /// `invalid_request_error`, `authentication_error`, `not_found_error`, `unavailable_error` or
  /// `server_error`.
  public let type: String
  /// The field of the request that is wrong.
  public let param: String?
  public let code: String?

  public init(message: String, type: String, param: String? = nil, code: String? = nil) {
    self.message = message
    self.type = type
    self.param = param
    self.code = code
  }
}

/// `{"error": {...}}`: the body of every answer that is not a success.
public struct ErrorBody: Codable, Sendable, Hashable {
  public let error: ErrorFacts

  public init(_ error: ErrorFacts) { self.error = error }
}
