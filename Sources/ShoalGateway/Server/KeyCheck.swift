// Demands the key as a bearer token (RFC 6750, section 2.1), where one is set.

import HTTPTypes
import Hummingbird

struct KeyCheck: RouterMiddleware {
  let key: String?

  private static let openPaths: Set<String> = ["/health", "/ready", OpenAPIRoute.path]

  @concurrent func handle(
    _ request: Request, context: BasicRequestContext,
    next: @concurrent (Request, BasicRequestContext) async throws -> Response
  ) async throws -> Response {
    // Whoever watches that a peer runs need not be trusted with it; the dashboard's files say
    // nothing, and ask for the key themselves.
    let path = request.uri.path
    if !Self.openPaths.contains(path), !DashboardRoute.paths.contains(path) {
      try KeyCheck.check(request.headers[.authorization], key: key)
    }
    return try await next(request, context)
  }

  static func check(_ header: String?, key: String?) throws(RequestError) {
    guard let key else { return }
    let scheme = "bearer "
    guard let header, header.lowercased().hasPrefix(scheme) else { throw .keyMissing }
    guard isEqual(Array(header.utf8.dropFirst(scheme.utf8.count)), Array(key.utf8)) else {
      throw .keyWrong
    }
  }

  /// Takes as long for a wrong first byte as for a wrong last one.
  private static func isEqual(_ left: [UInt8], _ right: [UInt8]) -> Bool {
    guard left.count == right.count else { return false }
    return zip(left, right).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
  }
}
