// One port for datagrams and streams, so that one address names a peer.

public import ShoalNode
public import ShoalProtocol

/// The transports of one peer, open on the same port.
public struct PeerSockets: Sendable {
  public let datagrams: any DatagramTransport
  public let streams: any StreamTransport
  /// Where this peer can be reached, UDP and TCP alike.
  public let localEndpoints: [Endpoint]

  /// Port zero takes one that is free for both.
  ///
  /// - Throws: `ListenError`, a configuration error.
  public static func open(
    listen endpoint: Endpoint, beaconPort: UInt16 = UDPTransport.defaultBeaconPort
  ) throws(ListenError) -> PeerSockets {
    var attempts = endpoint.port == 0 ? 16 : 1
    while true {
      attempts -= 1
      let streams = try TCPTransport(listen: endpoint)
      let port = streams.localEndpoints.first?.port ?? endpoint.port
      do {
        let datagrams = try UDPTransport(
          listen: endpoint.with(port: port), beaconPort: beaconPort)
        return PeerSockets(
          datagrams: datagrams, streams: streams, localEndpoints: streams.localEndpoints)
      } catch {
        streams.close()
        guard attempts > 0, case .addressInUse(_, .datagrams) = error else { throw error }
      }
    }
  }

  /// The port of peers where nobody says another.
  public static let usualPort: UInt16 = 7432

  /// The usual port of all addresses, or where that is taken, any.
  public static func openUsual() throws(ListenError) -> PeerSockets {
    do throws(ListenError) {
      return try open(listen: everyAddress(usualPort))
    } catch {
      guard case .addressInUse = error else { throw error }
      return try open(listen: everyAddress(0))
    }
  }

  private static func everyAddress(_ port: UInt16) -> Endpoint {
    guard let endpoint = Endpoint(address: [0, 0, 0, 0], port: port) else {
      preconditionFailure("four bytes are an address")
    }
    return endpoint
  }
}
