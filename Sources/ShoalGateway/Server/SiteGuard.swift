// Refuses what a page of another site makes a browser send: a peer on loopback has no key, and a
// browser reaches loopback on behalf of any page.

import HTTPTypes
import Hummingbird
import ShoalProtocol

/// Two checks. A browser states the page's `Origin` with every POST to another site (Fetch
/// Standard, "Origin header"): it must be the host that is asked. And on loopback the host must be
/// a loopback name, lest a name that was pointed at 127.0.0.1 makes another site look like ours.
struct SiteGuard: RouterMiddleware {
  let isLoopback: Bool

  @concurrent func handle(
    _ request: Request, context: BasicRequestContext,
    next: @concurrent (Request, BasicRequestContext) async throws -> Response
  ) async throws -> Response {
    try SiteGuard.check(
      host: request.head.authority ?? "", origin: request.headers[.origin], isLoopback: isLoopback)
    return try await next(request, context)
  }

  static func check(host: String, origin: String?, isLoopback: Bool) throws(RequestError) {
    if isLoopback, !host.isEmpty, !isLoopbackName(host) {
      throw .foreignSite(header: "Host", value: host)
    }
    guard let origin else { return }
    guard origin == "http://\(host)" || origin == "https://\(host)" else {
      throw .foreignSite(header: "Origin", value: origin)
    }
  }

  private static func isLoopbackName(_ host: String) -> Bool {
    let name = host.hasPrefix("[") ? host : String(host.prefix { $0 != ":" })
    if name == "localhost" { return true }
    let hasPort = host.hasPrefix("[") ? !host.hasSuffix("]") : name != host
    return Endpoint(hasPort ? host : host + ":0")?.isLoopback ?? false
  }
}
