// A connection serves one POST: while its answer is made it is watched for the client going away,
// and whoever has watched has taken from the connection what came meanwhile.

import HTTPTypes
import Hummingbird

/// Says so to the client (RFC 9112, section 9.6), which else might ask again on a connection that
/// is about to close, and hear nothing.
struct OneGeneration: RouterMiddleware {
  @concurrent func handle(
    _ request: Request, context: BasicRequestContext,
    next: @concurrent (Request, BasicRequestContext) async throws -> Response
  ) async throws -> Response {
    var response = try await next(request, context)
    if request.method == .post { response.headers[.connection] = "close" }
    return response
  }
}
