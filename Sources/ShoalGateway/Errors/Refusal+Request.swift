// The sentences for requests that are wrong in themselves.

import HTTPTypes

extension Refusal {
  init(_ error: RequestError) {
    self =
      switch error {
      case .brokenJSON(let reason):
        .badRequest("the body is not valid JSON: \(reason)", code: "broken_json")
      case .missing(let field):
        .badRequest("`\(field)` is missing", param: field, code: "missing_field")
      case .wrongType(let field, let expected):
        .badRequest("`\(field)` must be \(expected)", param: field, code: "wrong_type")
      case .outOfRange(let field, let value, let allowed):
        .badRequest("`\(field)` is \(value); it must be \(allowed)", param: field, code: "range")
      case .notOneOf(let field, let value, let allowed):
        .badRequest(
          "`\(field)` is `\(value)`; it must be one of \(allowed.joined(separator: ", "))",
          param: field, code: "unknown_value")
      case .unsupported(let field, let hint):
        .badRequest("`\(field)` is not supported: \(hint)", param: field, code: "unsupported")
      case .bodyTooLarge(let limit):
        Refusal(
          .contentTooLarge, "the body is larger than \(limit) bytes",
          type: "invalid_request_error", code: "body_too_large")
      case .keyMissing:
        .unauthorized("this peer asks for a key: send `Authorization: Bearer KEY`")
      case .keyWrong:
        .unauthorized("the key is wrong")
      case .foreignSite(let header, let value):
        Refusal(
          .forbidden, "requests of other sites are refused: \(header) is `\(value)`",
          type: "invalid_request_error", code: "foreign_site")
      case .noRoute(let method, let path):
        .notFound("there is no \(method) \(path)", code: "no_route")
      case .busy(let running, let waiting):
        .unavailable(
          "\(running) generations run here and \(waiting) wait, as many as may: try again later",
          code: "busy")
      case .userBusy(let waiting):
        Refusal(
          .tooManyRequests,
          "\(waiting) of your generations wait here, as many as one user's may: try again later",
          type: "rate_limit_error", code: "user_busy")
      case .clientTooSlow(let waiting):
        .unavailable("the client left \(waiting) events unread", code: "client_too_slow")
      }
  }

  private static func unauthorized(_ message: String) -> Refusal {
    Refusal(.unauthorized, message, type: "authentication_error", code: "invalid_api_key")
  }
}
