// An error as it leaves: a status and an OpenAI-shaped body.

import HTTPTypes
import Hummingbird

/// What a client is told in place of an answer.
struct Refusal: Error, Sendable, Hashable {
  let status: HTTPResponse.Status
  let facts: ErrorFacts

  static func badRequest(_ message: String, param: String? = nil, code: String) -> Refusal {
    Refusal(.badRequest, message, type: "invalid_request_error", param: param, code: code)
  }

  static func unavailable(_ message: String, code: String) -> Refusal {
    Refusal(.serviceUnavailable, message, type: "unavailable_error", code: code)
  }

  static func notFound(_ message: String, code: String) -> Refusal {
    Refusal(.notFound, message, type: "not_found_error", code: code)
  }

  static func failure(_ message: String, code: String) -> Refusal {
    Refusal(.internalServerError, message, type: "server_error", code: code)
  }

  init(
    _ status: HTTPResponse.Status, _ message: String, type: String, param: String? = nil,
    code: String
  ) {
    self.status = status
    facts = ErrorFacts(message: message, type: type, param: param, code: code)
  }

  /// Whatever a route threw.
  init(_ error: any Error) {
    self =
      switch error {
      case let refusal as Refusal: refusal
      case let error as RequestError: Refusal(error)
      case let error as any HTTPResponseError:
        Refusal(
          error.status, "the request was refused: \(error.status)", type: "invalid_request_error",
          code: "http_\(error.status.code)")
      default: Refusal(ofNode: error)
      }
  }

  /// - Parameter isPlain: for Ollama's clients, whose errors are a sentence and no more.
  func response(isPlain: Bool = false) throws -> Response {
    var response =
      try isPlain
      ? JSONBody.response(["error": facts.message], status: status)
      : JSONBody.response(ErrorBody(facts), status: status)
    if status == .unauthorized { response.headers[.wwwAuthenticate] = "Bearer" }
    if status == .serviceUnavailable || status == .tooManyRequests {
      response.headers[.retryAfter] = "1"
    }
    return response
  }
}
