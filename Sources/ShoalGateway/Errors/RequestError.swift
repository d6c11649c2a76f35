// Why a request is refused before the node hears of it.

/// Each case carries its numbers; `Refusal` says it as a sentence and a status.
enum RequestError: Error, Sendable, Hashable {
  case brokenJSON(reason: String)
  case missing(field: String)
  case wrongType(field: String, expected: String)
  case outOfRange(field: String, value: String, allowed: String)
  case notOneOf(field: String, value: String, allowed: [String])
  /// The field asks for what Shoal does not do.
  case unsupported(field: String, hint: String)
  case bodyTooLarge(limit: Int)
  case keyMissing
  case keyWrong
  case foreignSite(header: String, value: String)
  case noRoute(method: String, path: String)
  /// The queue is full.
  case busy(running: Int, waiting: Int)
  /// Of one user as many wait as may.
  case userBusy(waiting: Int)
  /// The client reads more slowly than tokens come.
  case clientTooSlow(waiting: Int)
}
