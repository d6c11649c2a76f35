// Reaching every peer of the LAN: which sockets listen, where a beacon goes.

import ShoalProtocol

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The listening side of beacons and the destinations of sending them.
///
/// IPv4 multicast within the organisation-local scope (RFC 2365, section 6.1), with one hop, and
/// the broadcast address of each interface, since some access points drop multicast; IPv6
/// multicast in the site-local scope (RFC 4291, section 2.7), so that the source is an address
/// that can be answered. Beacons leave from the peer's own socket, so that their source is where
/// an answer goes. A peer on a loopback address keeps to loopback: IPv4 multicast there works on
/// Linux among any number of processes, IPv6 multicast has no route.
struct BeaconGroup {
  /// As good as any: port 7433 and groups that no registry assigns.
  static let defaultPort: UInt16 = 7433
  private static let group4: [UInt8] = [239, 255, 74, 33]
  private static let group6: [UInt8] =
    [0xff, 0x05] + [UInt8](repeating: 0, count: 12) + [0x74, 0x33]

  let port: UInt16
  /// One per family; shared with the other peers of this machine.
  let listeners: [Socket]
  private let listening: [Endpoint]
  private var joined: Set<NetworkInterface> = []

  /// - Parameter listening: what the peer's own sockets are bound to.
  init(listening: [Endpoint], port: UInt16) throws(ListenError) {
    self.listening = listening
    var port = port
    var sockets: [Socket] = []
    for family in Set(listening.map(\.family)).sorted() {
      guard let any = Endpoint.anyAddress(family: family, port: port) else { continue }
      do {
        let socket = try BeaconGroup.listener(any)
        port = try socket.boundEndpoint().port
        sockets.append(socket)
      } catch {
        throw ListenError(any, .beacons, error)
      }
    }
    listeners = sockets
    self.port = port
  }

  private static func listener(_ any: Endpoint) throws(SystemCallError) -> Socket {
    let socket = try Socket(.datagrams, family: any.family)
    try socket.set(SOL_SOCKET, SO_REUSEADDR, 1)
    try socket.set(SOL_SOCKET, SO_REUSEPORT, 1)
    if any.family == AF_INET6 {
      try socket.set(Int32(IPPROTO_IPV6), Int32(IPV6_V6ONLY), 1)
    } else {
      #if os(Linux)
        // Only what this socket joined, not what any socket of the machine did.
        try socket.set(Int32(IPPROTO_IP), IP_MULTICAST_ALL, 0)
      #endif
    }
    try socket.bind(any)
    return socket
  }

  /// The interfaces that this peer is on: those of the address it listens on; for "any", all but
  /// loopback, or loopback where there is no other.
  private func interfaces() -> [NetworkInterface] {
    let all = NetworkInterface.current()
    return listening.flatMap { bound in
      let family = all.filter { $0.address.family == bound.family }
      if bound.isAny {
        let outside = family.filter { !$0.address.isLoopback }
        return outside.isEmpty ? family : outside
      }
      return family.filter {
        $0.address.address == bound.address || bound.isLoopback && $0.address.isLoopback
      }
    }
  }

  /// Listens on interfaces that have come since the last call. One that refuses is tried again.
  mutating func join() -> [NetworkInterface] {
    let interfaces = interfaces()
    joined.formIntersection(interfaces)
    for interface in interfaces where !joined.contains(interface) {
      for listener in listeners where joins(listener, interface) { joined.insert(interface) }
    }
    return interfaces
  }

  private func joins(_ listener: Socket, _ interface: NetworkInterface) -> Bool {
    do {
      guard try listener.boundEndpoint().family == interface.address.family else { return false }
      if interface.address.family == AF_INET {
        // struct ip_mreq: the group, then the interface's address.
        let request = BeaconGroup.group4 + interface.address.address
        try listener.set(Int32(IPPROTO_IP), Int32(IP_ADD_MEMBERSHIP), array: request)
      } else {
        // struct ipv6_mreq: the group, then the interface's index.
        let index = unsafe withUnsafeBytes(of: interface.index) { unsafe Array($0) }
        #if canImport(Darwin)
          let option = Int32(IPV6_JOIN_GROUP)
        #else
          let option = Int32(IPV6_ADD_MEMBERSHIP)
        #endif
        try listener.set(Int32(IPPROTO_IPV6), option, array: BeaconGroup.group6 + index)
      }
      return true
    } catch {
      return error.code == EADDRINUSE
    }
  }

  /// Sends `bytes` from `sockets`, which must allow broadcast. Returns how many sends failed on
  /// interfaces where none succeeded.
  mutating func send(_ bytes: [UInt8], from sockets: [(socket: Socket, family: Int32)]) -> UInt64 {
    var failures: UInt64 = 0
    for interface in join() {
      for (socket, family) in sockets where family == interface.address.family {
        if !send(bytes, from: socket, over: interface) { failures += 1 }
      }
    }
    return failures
  }

  private func send(
    _ bytes: [UInt8], from socket: Socket, over interface: NetworkInterface
  ) -> Bool {
    let isV4 = interface.address.family == AF_INET
    do {
      if isV4 {
        try socket.set(
          Int32(IPPROTO_IP), Int32(IP_MULTICAST_IF), array: interface.address.address)
      } else {
        try socket.set(Int32(IPPROTO_IPV6), Int32(IPV6_MULTICAST_IF), bytes: interface.index)
      }
    } catch {
      return false
    }
    let group = Endpoint(
      address: isV4 ? BeaconGroup.group4 : BeaconGroup.group6, port: port)
    let reachedGroup = group.map { BeaconGroup.sends(bytes, socket, to: $0) } ?? false
    // On loopback the group reaches everybody; a second copy would only be noise.
    if interface.address.isLoopback, reachedGroup { return true }
    let loopback = Endpoint(address: [127, 255, 255, 255], port: port)
    let broadcast =
      interface.broadcast?.with(port: port)
      ?? (interface.address.isLoopback && isV4 ? loopback : nil)
    let reachedBroadcast = broadcast.map { BeaconGroup.sends(bytes, socket, to: $0) } ?? false
    return reachedGroup || reachedBroadcast
  }

  private static func sends(_ bytes: [UInt8], _ socket: Socket, to endpoint: Endpoint) -> Bool {
    socket.send(bytes, to: SocketAddress(endpoint)) == .moved(bytes.count)
  }
}
