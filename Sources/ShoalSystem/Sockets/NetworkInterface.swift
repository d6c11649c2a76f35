// The interfaces of this machine, as far as beacons and addresses need them.

import ShoalProtocol

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// One address of one interface that is up.
struct NetworkInterface: Hashable {
  let index: UInt32
  /// With port zero.
  let address: Endpoint
  /// IPv4 only. Port zero.
  let broadcast: Endpoint?

  /// All addresses that a peer can be named by: up, IPv4 or IPv6, not link-local IPv6.
  static func current() -> [NetworkInterface] {
    var head: UnsafeMutablePointer<ifaddrs>?
    guard unsafe getifaddrs(&head) == 0 else { return [] }
    defer { unsafe freeifaddrs(head) }
    var found: [NetworkInterface] = []
    var next = unsafe head
    while let entry = unsafe next?.pointee {
      unsafe next = entry.ifa_next
      let flags = unsafe UInt32(entry.ifa_flags)
      guard flags & UInt32(IFF_UP) != 0, let address = unsafe entry.ifa_addr,
        let endpoint = unsafe SocketAddress(address)?.endpoint
      else { continue }
      found.append(
        NetworkInterface(
          index: unsafe if_nametoindex(entry.ifa_name), address: endpoint.with(port: 0),
          broadcast: flags & UInt32(IFF_BROADCAST) == 0
            ? nil : unsafe broadcastAddress(entry).flatMap { unsafe SocketAddress($0)?.endpoint }))
    }
    return found
  }

  private static func broadcastAddress(_ entry: ifaddrs) -> UnsafePointer<sockaddr>? {
    #if canImport(Darwin)
      return unsafe UnsafePointer(entry.ifa_dstaddr)
    #else
      return unsafe UnsafePointer(entry.ifa_ifu.ifu_broadaddr)
    #endif
  }
}
