// One socket: its calls with results that say what happened, closed when nobody holds it.

internal import CPlatform
import ShoalProtocol

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// What one non-blocking call moved.
enum Transfer: Hashable {
  case moved(Int)
  case wouldBlock
  /// The other side ended the connection, or this side did.
  case ended
  case failed(Int32)
}

/// A non-blocking socket. The descriptor lives as long as this object, so that no thread can
/// meet a number that already names another file.
final class Socket: Sendable {
  let descriptor: Int32
  /// Returned, by going, to whoever counts open connections.
  private let slot: ConnectionSlot?

  enum Kind {
    case datagrams
    case stream
  }

  init(_ kind: Kind, family: Int32) throws(SystemCallError) {
    #if canImport(Glibc)
      let type = Int32(kind == .stream ? SOCK_STREAM.rawValue : SOCK_DGRAM.rawValue)
    #else
      let type = kind == .stream ? SOCK_STREAM : SOCK_DGRAM
    #endif
    descriptor = socket(family, type, 0)
    slot = nil
    guard descriptor >= 0 else { throw .last("socket", "") }
    try prepare()
  }

  /// Takes over what `accept` returned.
  init(accepted descriptor: Int32, slot: ConnectionSlot) throws(SystemCallError) {
    self.descriptor = descriptor
    self.slot = slot
    try prepare()
  }

  deinit { if descriptor >= 0 { _ = Socket.closeNow(descriptor) } }

  /// For a descriptor that never became a socket of ours.
  static func closeNow(_ descriptor: Int32) -> Bool { close(descriptor) == 0 }

  private func prepare() throws(SystemCallError) {
    let flags = fcntl(descriptor, F_GETFL)
    guard flags >= 0, fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) == 0,
      fcntl(descriptor, F_SETFD, FD_CLOEXEC) == 0
    else { throw .last("fcntl", "socket") }
    #if canImport(Darwin)
      try set(SOL_SOCKET, SO_NOSIGPIPE, 1)
    #endif
  }

  func set(_ level: Int32, _ option: Int32, _ value: Int32) throws(SystemCallError) {
    try set(level, option, bytes: value)
  }

  func set<Value: BitwiseCopyable>(
    _ level: Int32, _ option: Int32, bytes value: Value
  ) throws(SystemCallError) {
    let code = unsafe withUnsafeBytes(of: value) {
      unsafe setsockopt(descriptor, level, option, $0.baseAddress, socklen_t($0.count))
    }
    guard code == 0 else { throw .last("setsockopt", "option \(option)") }
  }

  /// An option that is a C structure, given as its bytes.
  func set(_ level: Int32, _ option: Int32, array: [UInt8]) throws(SystemCallError) {
    let code = unsafe array.withUnsafeBytes {
      unsafe setsockopt(descriptor, level, option, $0.baseAddress, socklen_t($0.count))
    }
    guard code == 0 else { throw .last("setsockopt", "option \(option)") }
  }

  func bind(_ endpoint: Endpoint) throws(SystemCallError) {
    let address = SocketAddress(endpoint)
    #if canImport(Glibc)
      let code = unsafe address.withPointer { unsafe Glibc.bind(descriptor, $0, $1) }
    #elseif canImport(Musl)
      let code = unsafe address.withPointer { unsafe Musl.bind(descriptor, $0, $1) }
    #else
      let code = unsafe address.withPointer { unsafe Darwin.bind(descriptor, $0, $1) }
    #endif
    guard code == 0 else { throw .last("bind", endpoint.description) }
  }

  /// The address it is bound to, with the port that the system chose.
  func boundEndpoint() throws(SystemCallError) -> Endpoint {
    var address = SocketAddress()
    let code = unsafe address.withMutablePointer { unsafe getsockname(descriptor, $0, $1) }
    guard code == 0, let endpoint = address.endpoint else { throw .last("getsockname", "") }
    return endpoint
  }

  /// The error of a connection attempt, zero for none.
  func pendingError() -> Int32 {
    var code: Int32 = 0
    var length = socklen_t(MemoryLayout<Int32>.size)
    guard unsafe getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &length) == 0 else {
      return errno
    }
    return code
  }

  /// Ends the connection; whoever waits on it wakes.
  func shutdown() {
    #if canImport(Glibc)
      _ = Glibc.shutdown(descriptor, Int32(SHUT_RDWR))
    #elseif canImport(Musl)
      _ = Musl.shutdown(descriptor, SHUT_RDWR)
    #else
      _ = Darwin.shutdown(descriptor, SHUT_RDWR)
    #endif
  }
}

extension Socket {
  #if canImport(Darwin)
    private static let sendFlags: Int32 = 0
  #else
    /// An ended connection is an answer, not a signal.
    private static let sendFlags = Int32(MSG_NOSIGNAL)
  #endif

  func receive(into buffer: UnsafeMutableRawBufferPointer) -> Transfer {
    let moved = unsafe recv(descriptor, buffer.baseAddress, buffer.count, 0)
    if moved == 0, unsafe !buffer.isEmpty { return .ended }
    return Socket.transfer(moved)
  }

  func send(_ bytes: UnsafeRawBufferPointer) -> Transfer {
    #if canImport(Glibc)
      let moved = unsafe Glibc.send(
        descriptor, bytes.baseAddress, bytes.count, Socket.sendFlags)
    #elseif canImport(Musl)
      let moved = unsafe Musl.send(descriptor, bytes.baseAddress, bytes.count, Socket.sendFlags)
    #else
      let moved = unsafe Darwin.send(descriptor, bytes.baseAddress, bytes.count, Socket.sendFlags)
    #endif
    return Socket.transfer(moved)
  }

  func send(_ bytes: [UInt8], to address: SocketAddress) -> Transfer {
    let moved = unsafe bytes.withUnsafeBytes { bytes in
      unsafe address.withPointer {
        unsafe sendto(
          descriptor, bytes.baseAddress, bytes.count, Socket.sendFlags, $0, $1)
      }
    }
    return Socket.transfer(moved)
  }

  func receive(
    into buffer: UnsafeMutableRawBufferPointer, from address: inout SocketAddress
  ) -> Transfer {
    address = SocketAddress()
    let moved = unsafe address.withMutablePointer {
      unsafe recvfrom(descriptor, buffer.baseAddress, buffer.count, 0, $0, $1)
    }
    return Socket.transfer(moved)
  }

  /// Where nobody took a datagram that was sent from here, of those that the system has heard of.
  func takeRefusals() -> [Endpoint] {
    var refused: [Endpoint] = []
    while true {
      var address = SocketAddress()
      let word = unsafe address.withMutablePointer {
        unsafe shoal_take_refusal(descriptor, $0, $1)
      }
      if word < 0 { return refused }
      if word > 0, let endpoint = address.endpoint { refused.append(endpoint) }
    }
  }

  private static func transfer(_ moved: Int) -> Transfer {
    guard moved < 0 else { return .moved(moved) }
    switch errno {
    case EAGAIN, EWOULDBLOCK, EINTR: return .wouldBlock
    case EPIPE, ECONNRESET, ESHUTDOWN, ENOTCONN: return .ended
    case let code: return .failed(code)
    }
  }
}
