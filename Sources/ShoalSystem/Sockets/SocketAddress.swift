// Endpoints as the socket calls take them, and back.

import ShoalProtocol

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A `sockaddr` of either family, with room for both.
struct SocketAddress {
  private var storage = sockaddr_storage()
  private var length = socklen_t(MemoryLayout<sockaddr_storage>.size)

  /// Room for a call to write an address into.
  init() {}

  init(_ endpoint: Endpoint) {
    if endpoint.address.count == 4 {
      var address = sockaddr_in()
      #if canImport(Darwin)
        address.sin_len = UInt8(MemoryLayout<sockaddr_in>.size)
      #endif
      address.sin_family = sa_family_t(AF_INET)
      address.sin_port = endpoint.port.bigEndian
      unsafe withUnsafeMutableBytes(of: &address.sin_addr) {
        unsafe $0.copyBytes(from: endpoint.address)
      }
      store(address)
    } else {
      var address = sockaddr_in6()
      #if canImport(Darwin)
        address.sin6_len = UInt8(MemoryLayout<sockaddr_in6>.size)
      #endif
      address.sin6_family = sa_family_t(AF_INET6)
      address.sin6_port = endpoint.port.bigEndian
      unsafe withUnsafeMutableBytes(of: &address.sin6_addr) {
        unsafe $0.copyBytes(from: endpoint.address)
      }
      store(address)
    }
  }

  /// Copies what `getifaddrs` lists. Nil for another family than IPv4 and IPv6.
  init?(_ pointer: UnsafePointer<sockaddr>) {
    switch Int32(unsafe pointer.pointee.sa_family) {
    case AF_INET:
      store(unsafe UnsafeRawPointer(pointer).load(as: sockaddr_in.self))
    case AF_INET6:
      store(unsafe UnsafeRawPointer(pointer).load(as: sockaddr_in6.self))
    case _: return nil
    }
  }

  private mutating func store<Address>(_ address: Address) {
    unsafe withUnsafeMutableBytes(of: &storage) {
      unsafe $0.storeBytes(of: address, as: Address.self)
    }
    length = socklen_t(MemoryLayout<Address>.size)
  }

  private func load<Address>(_: Address.Type) -> Address {
    unsafe withUnsafeBytes(of: storage) { unsafe $0.load(as: Address.self) }
  }

  /// Nil for another family, and for a link-local IPv6 address: without its interface it names
  /// nobody (RFC 4007, section 6).
  var endpoint: Endpoint? {
    switch Int32(storage.ss_family) {
    case AF_INET:
      let address = load(sockaddr_in.self)
      let bytes = unsafe withUnsafeBytes(of: address.sin_addr) { unsafe Array($0) }
      return Endpoint(address: bytes, port: UInt16(bigEndian: address.sin_port))
    case AF_INET6:
      let address = load(sockaddr_in6.self)
      let bytes = unsafe withUnsafeBytes(of: address.sin6_addr) { unsafe Array($0) }
      if bytes[0] == 0xfe, bytes[1] & 0xc0 == 0x80 { return nil }
      return Endpoint(address: bytes, port: UInt16(bigEndian: address.sin6_port))
    case _: return nil
    }
  }

  func withPointer<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
    unsafe withUnsafePointer(to: storage) {
      unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe body($0, length) }
    }
  }

  mutating func withMutablePointer<Result>(
    _ body: (UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Result
  ) -> Result {
    unsafe withUnsafeMutablePointer(to: &storage) { storage in
      unsafe storage.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        unsafe withUnsafeMutablePointer(to: &length) { unsafe body(address, $0) }
      }
    }
  }
}

extension Endpoint {
  var family: Int32 { address.count == 4 ? AF_INET : AF_INET6 }
  /// `0.0.0.0` or `::`.
  var isAny: Bool { address.allSatisfy { $0 == 0 } }

  func with(port: UInt16) -> Endpoint { Endpoint(address: address, port: port) ?? self }

  static func anyAddress(family: Int32, port: UInt16) -> Endpoint? {
    Endpoint(address: [UInt8](repeating: 0, count: family == AF_INET ? 4 : 16), port: port)
  }
}
