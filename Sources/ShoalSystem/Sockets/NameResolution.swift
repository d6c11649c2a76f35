// From an address as people write it, a host's name or number with a port, to endpoints.

public import ShoalProtocol

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Why an address leads nowhere.
public enum AddressError: Error, Hashable, Sendable, CustomStringConvertible {
  case noPort(String)
  /// `reason` is the resolver's own sentence.
  case unknownHost(String, reason: String)

  public var description: String {
    switch self {
    case .noPort(let text):
      "\(text) has no port: write host:port, 192.0.2.1:7432 or [2001:db8::1]:7432"
    case .unknownHost(let host, let reason): "\(host): \(reason)"
    }
  }
}

extension Endpoint {
  /// What `host:port` stands for, in the resolver's order (RFC 6724); a number stands for itself.
  /// Blocks for as long as the resolver takes, which may be seconds.
  public static func resolve(_ address: String) throws(AddressError) -> [Endpoint] {
    if let endpoint = Endpoint(address) { return [endpoint] }
    guard let (host, port) = split(address) else { throw .noPort(address) }
    var hints = unsafe addrinfo()
    // One entry for each address; else there is one for each kind of socket too.
    #if canImport(Darwin) || canImport(Musl)
      unsafe hints.ai_socktype = SOCK_DGRAM
    #else
      unsafe hints.ai_socktype = Int32(SOCK_DGRAM.rawValue)
    #endif
    unsafe hints.ai_flags = AI_ADDRCONFIG
    var list: UnsafeMutablePointer<addrinfo>?
    let code = unsafe getaddrinfo(host, nil, &hints, &list)
    defer { if let list = unsafe list { unsafe freeaddrinfo(list) } }
    guard code == 0 else {
      let reason = unsafe gai_strerror(code).map { unsafe String(cString: $0) }
      throw .unknownHost(host, reason: reason ?? "error \(code)")
    }
    var endpoints: [Endpoint] = []
    var next = unsafe list
    while let entry = unsafe next?.pointee {
      unsafe next = entry.ai_next
      if let socket = unsafe entry.ai_addr, let found = unsafe SocketAddress(socket)?.endpoint {
        endpoints.append(found.with(port: port))
      }
    }
    return endpoints
  }

  /// Nil unless there is a host and a port from 1 to 65,535.
  package static func split(_ address: String) -> (host: String, port: UInt16)? {
    guard let colon = address.lastIndex(of: ":"),
      let port = UInt16(address[address.index(after: colon)...]), port > 0
    else { return nil }
    let host = address[..<colon]
    // A bare IPv6 address would lose its last group to the port.
    guard !host.isEmpty, !host.contains(":") else { return nil }
    return (String(host), port)
  }
}
