// Datagrams over UDP, and the LAN's beacons.

internal import CPlatform
public import ShoalNode
public import ShoalProtocol
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// One socket per address family, for sending and receiving, and one that hears beacons, shared
/// with the machine's other peers. A thread reads them all.
///
/// Listening on `[::]` means IPv4 as well, on the same port.
public final class UDPTransport: DatagramTransport {
  public let received: AsyncStream<Datagram>
  /// The port that beacons go to and come from: the same for every peer that should be found.
  public let beaconPort: UInt16
  private let bound: [Endpoint]
  private let sockets: [(socket: Socket, family: Int32)]
  private let beacons: Mutex<BeaconGroup>
  private let intake: DatagramIntake
  private let unsent = Atomic<UInt64>(0)

  /// - Parameter beaconPort: zero takes one that is free, for others to be given.
  /// - Throws: `ListenError`, a configuration error.
  public init(
    listen endpoint: Endpoint, beaconPort: UInt16 = UDPTransport.defaultBeaconPort
  ) throws(ListenError) {
    do {
      sockets = try UDPTransport.sockets(at: endpoint)
      bound = try sockets.map { socket, _ throws(SystemCallError) in try socket.boundEndpoint() }
    } catch {
      throw ListenError(endpoint, .datagrams, error)
    }
    var group = try BeaconGroup(listening: bound, port: beaconPort)
    _ = group.join()
    self.beaconPort = group.port
    let (received, arrivals) = AsyncStream.makeStream(
      of: Datagram.self, bufferingPolicy: .bufferingOldest(Limits.datagramQueue))
    self.received = received
    do {
      intake = try DatagramIntake(
        own: sockets.map(\.socket), beacons: group.listeners, bound: bound, arrivals: arrivals)
      let intake = intake
      try SystemThread(name: "shoal-datagrams") { intake.work() }.detach()
    } catch {
      throw ListenError(endpoint, .datagrams, error)
    }
    beacons = Mutex(group)
  }

  public static var defaultBeaconPort: UInt16 { BeaconGroup.defaultPort }

  deinit { close() }

  public var localEndpoints: [Endpoint] { NetworkInterface.reachable(bound) }

  public var counters: DatagramCounters {
    var counters = intake.counters.withLock { $0 }
    counters.unsent = unsent.load(ordering: .relaxed)
    return counters
  }

  public func send(_ bytes: [UInt8], to endpoint: Endpoint) {
    let socket = sockets.first { $0.family == endpoint.family }?.socket
    // Where an earlier datagram was refused, the first call says so and sends nothing.
    var sent: Transfer?
    for _ in 0..<2 {
      sent = socket.map { $0.send(bytes, to: SocketAddress(endpoint)) }
      guard case .failed? = sent else { break }
    }
    if sent != .moved(bytes.count) { unsent.wrappingAdd(1, ordering: .relaxed) }
  }

  public func beacon(_ bytes: [UInt8]) {
    let failures = beacons.withLock { $0.send(bytes, from: sockets) }
    if failures > 0 { unsent.wrappingAdd(failures, ordering: .relaxed) }
  }

  public func close() { intake.stop() }

  private static func sockets(
    at endpoint: Endpoint
  ) throws(SystemCallError) -> [(socket: Socket, family: Int32)] {
    var sockets: [(socket: Socket, family: Int32)] = []
    for part in try DualStack.parts(of: endpoint) {
      let port = try sockets.first?.socket.boundEndpoint().port ?? part.port
      let socket = try Socket(.datagrams, family: part.family)
      if part.family == AF_INET6 {
        try socket.set(Int32(IPPROTO_IPV6), Int32(IPV6_V6ONLY), 1)
      } else {
        try socket.set(SOL_SOCKET, SO_BROADCAST, 1)
      }
      shoal_keep_refusals(socket.descriptor, part.family == AF_INET6 ? 1 : 0)
      try socket.bind(part.with(port: port))
      sockets.append((socket, part.family))
    }
    return sockets
  }
}
