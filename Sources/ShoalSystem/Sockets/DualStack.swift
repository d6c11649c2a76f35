// What "every address" means: both families, one port.

import ShoalProtocol

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

enum DualStack {
  /// The addresses to bind for `endpoint`: itself, and for `[::]` also `0.0.0.0`. A machine
  /// without IPv6 listens on IPv4 alone.
  static func parts(of endpoint: Endpoint) throws(SystemCallError) -> [Endpoint] {
    guard endpoint.family == AF_INET6, endpoint.isAny,
      let version4 = Endpoint.anyAddress(family: AF_INET, port: endpoint.port)
    else { return [endpoint] }
    return hasIPv6 ? [endpoint, version4] : [version4]
  }

  private static var hasIPv6: Bool {
    do {
      let socket = try Socket(.datagrams, family: AF_INET6)
      guard let any = Endpoint.anyAddress(family: AF_INET6, port: 0) else { return false }
      try socket.bind(any)
      return true
    } catch {
      return false
    }
  }
}

extension NetworkInterface {
  /// The addresses under which sockets bound to `bound` can be reached: "any" stands for each
  /// address of its family, without loopback where there are others.
  static func reachable(_ bound: [Endpoint]) -> [Endpoint] {
    let interfaces = current().map(\.address)
    return bound.flatMap { endpoint in
      guard endpoint.isAny else { return [endpoint] }
      let family = interfaces.filter { $0.family == endpoint.family }
      let outside = family.filter { !$0.isLoopback }
      return Set(outside.isEmpty ? family : outside).sorted().map {
        $0.with(port: endpoint.port)
      }
    }
  }
}
