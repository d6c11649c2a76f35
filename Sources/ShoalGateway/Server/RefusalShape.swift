// The outermost layer: whatever is thrown inside leaves as an OpenAI-shaped error.

import Hummingbird

struct RefusalShape: RouterMiddleware {
  let counters: Counters

  @concurrent func handle(
    _ request: Request, context: BasicRequestContext,
    next: @concurrent (Request, BasicRequestContext) async throws -> Response
  ) async throws -> Response {
    counters.count { $0.requests += 1 }
    do {
      return try await next(request, context)
    } catch let error as HTTPError where error.status == .notFound {
      return try refuse(
        Refusal(
          RequestError.noRoute(method: request.method.rawValue, path: request.uri.path)), request)
    } catch {
      return try refuse(Refusal(error), request)
    }
  }

  private func refuse(_ refusal: Refusal, _ request: Request) throws -> Response {
    counters.count { $0.refusals[refusal.status.code, default: 0] += 1 }
    return try refusal.response(isPlain: OllamaRoutes.paths.contains(request.uri.path))
  }
}
