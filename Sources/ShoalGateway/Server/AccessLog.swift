// One line of the log for each request. Headers, queries and bodies never get into it: they hold
// keys and prompts.

import Hummingbird
import Logging
import ShoalNode
import ShoalProtocol

/// Outermost, so that it sees the status that leaves. A stream's line is written as it begins.
struct AccessLog: RouterMiddleware {
  let logger: Logger
  let clock: any MeshClock

  /// Longer paths than any route's are cut.
  private static let pathLimit = 128

  @concurrent func handle(
    _ request: Request, context: BasicRequestContext,
    next: @concurrent (Request, BasicRequestContext) async throws -> Response
  ) async throws -> Response {
    let start = clock.now()
    let response = try await next(request, context)
    let code = response.status.code
    let level: Logger.Level = code >= 500 ? .warning : code >= 400 ? .info : .debug
    logger.log(
      level: level, "request",
      metadata: [
        "method": "\(request.method.rawValue)",
        "path": "\(request.uri.path.prefix(Self.pathLimit))",
        "status": .stringConvertible(code),
        "milliseconds": .stringConvertible(Int((clock.now() - start).inSeconds * 1_000)),
      ])
    return response
  }
}
