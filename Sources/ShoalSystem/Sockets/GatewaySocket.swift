// The router that leads out of this machine's network, and datagrams to it.

import Foundation
public import ShoalNode
public import ShoalProtocol

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A socket that is connected to the router: the system drops what others send there.
public final class GatewaySocket: GatewayTransport {
  public let client: Endpoint
  private let socket: Socket
  private let reactor: SocketReactor

  /// Where routers listen for PCP and NAT-PMP (RFC 6887, section 19.1).
  public static let usualPort: UInt16 = 5351
  /// No message of either is longer (RFC 6887, section 7).
  private static let longestMessage = 1_100

  /// - Throws: `SystemCallError`.
  public init(gateway: Endpoint) throws(SystemCallError) {
    let socket = try Socket(.datagrams, family: gateway.family)
    let address = SocketAddress(gateway)
    #if canImport(Glibc)
      let code = unsafe address.withPointer { unsafe Glibc.connect(socket.descriptor, $0, $1) }
    #elseif canImport(Musl)
      let code = unsafe address.withPointer { unsafe Musl.connect(socket.descriptor, $0, $1) }
    #else
      let code = unsafe address.withPointer { unsafe Darwin.connect(socket.descriptor, $0, $1) }
    #endif
    guard code == 0 else { throw .last("connect", gateway.description) }
    client = try socket.boundEndpoint()
    reactor = try SocketReactor()
    self.socket = socket
  }

  /// To the router of the IPv4 default route; nil where there is none, or the system does not say.
  public static func usual() -> GatewaySocket? {
    guard let routes = FileManager.default.contents(atPath: "/proc/net/route"),
      let router = NetworkFacts.defaultGateway(String(decoding: routes, as: UTF8.self))
    else { return nil }
    return try? GatewaySocket(gateway: router.with(port: usualPort))
  }

  public func send(_ bytes: [UInt8]) {
    // Lost, like a datagram on its way: it is sent again.
    _ = unsafe bytes.withUnsafeBytes { unsafe socket.send($0) }
  }

  public func receive(until deadline: Moment?) async -> [UInt8]? {
    while true {
      var buffer = [UInt8](repeating: 0, count: Self.longestMessage + 1)
      let transfer = unsafe buffer.withUnsafeMutableBytes { unsafe socket.receive(into: $0) }
      switch transfer {
      case .moved(let count): return Array(buffer.prefix(count))
      // Nobody listens there, says the router: what is due at the deadline is due all the same.
      case .wouldBlock, .ended, .failed: break
      }
      switch await reactor.wait(for: socket, .readable, deadline: deadline) {
      case .ready: continue
      case .timedOut, .cancelled, .stopped: return nil
      }
    }
  }
}
