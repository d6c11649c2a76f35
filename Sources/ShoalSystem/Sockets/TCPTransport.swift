// Opens and accepts TCP connections.

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

/// One listener per address family, on a thread of its own, and connections to others.
///
/// Listening on `[::]` means IPv4 as well, on the same port.
public final class TCPTransport: StreamTransport {
  public let localEndpoints: [Endpoint]
  public let accepted: AsyncStream<any ByteStream>
  private let arrivals: AsyncStream<any ByteStream>.Continuation
  private let reactor: SocketReactor
  private let wakePipe: WakePipe
  private let closed = Atomic<Bool>(false)

  /// - Parameter openLimit: accepted connections that may be open at once; further ones are
  ///   closed unread.
  /// - Throws: `ListenError`, a configuration error.
  public init(
    listen endpoint: Endpoint, openLimit: Int = Limits.openStreams
  ) throws(ListenError) {
    let listeners: [Socket]
    do {
      reactor = try SocketReactor()
      wakePipe = try WakePipe()
      listeners = try TCPTransport.listeners(at: endpoint)
      localEndpoints = try NetworkInterface.reachable(
        listeners.map { listener throws(SystemCallError) in try listener.boundEndpoint() })
    } catch {
      throw ListenError(endpoint, .streams, error)
    }
    (accepted, arrivals) = AsyncStream.makeStream(
      bufferingPolicy: .bufferingOldest(Limits.acceptedStreams))
    let acceptor = Acceptor(
      listeners: listeners, wakePipe: wakePipe, reactor: reactor, arrivals: arrivals,
      slots: ConnectionSlots(openLimit))
    do {
      try SystemThread(name: "shoal-accept") { acceptor.work() }.detach()
    } catch {
      throw .system(endpoint, .streams, error)
    }
  }

  deinit { close() }

  public func close() {
    closed.store(true, ordering: .sequentiallyConsistent)
    arrivals.finish()
    wakePipe.wake()
  }

  private static func listeners(at endpoint: Endpoint) throws(SystemCallError) -> [Socket] {
    var sockets: [Socket] = []
    for part in try DualStack.parts(of: endpoint) {
      let port = try sockets.first?.boundEndpoint().port ?? part.port
      let socket = try Socket(.stream, family: part.family)
      try socket.set(SOL_SOCKET, SO_REUSEADDR, 1)
      if part.family == AF_INET6 { try socket.set(Int32(IPPROTO_IPV6), Int32(IPV6_V6ONLY), 1) }
      try socket.bind(part.with(port: port))
      guard listen(socket.descriptor, 128) == 0 else {
        throw .last("listen", part.with(port: port).description)
      }
      sockets.append(socket)
    }
    return sockets
  }

  public func connect(to endpoint: Endpoint, deadline: Moment) async throws -> any ByteStream {
    let started = SystemClock.nanoseconds()
    let socket: Socket
    do {
      socket = try Socket(.stream, family: endpoint.family)
      try socket.set(Int32(IPPROTO_TCP), Int32(TCP_NODELAY), 1)
    } catch {
      throw LinkError.system(call: error.call, code: error.code)
    }
    if let code = TCPTransport.begin(socket, endpoint) {
      guard code == EINPROGRESS || code == EINTR else {
        throw TCPTransport.connectError(code, endpoint)
      }
      switch await reactor.wait(for: socket, .writable, deadline: deadline) {
      case .ready: break
      case .cancelled: throw CancellationError()
      case .stopped: throw LinkError.closed
      case .timedOut:
        throw LinkError.timedOut(afterNanoseconds: SystemClock.nanoseconds() - started)
      }
      let outcome = socket.pendingError()
      guard outcome == 0 else { throw TCPTransport.connectError(outcome, endpoint) }
    }
    return TCPStream(socket, remote: endpoint, reactor: reactor)
  }

  /// Nil where the connection stands at once, else `errno`.
  private static func begin(_ socket: Socket, _ endpoint: Endpoint) -> Int32? {
    let address = SocketAddress(endpoint)
    #if canImport(Glibc)
      let code = unsafe address.withPointer { unsafe Glibc.connect(socket.descriptor, $0, $1) }
    #elseif canImport(Musl)
      let code = unsafe address.withPointer { unsafe Musl.connect(socket.descriptor, $0, $1) }
    #else
      let code = unsafe address.withPointer { unsafe Darwin.connect(socket.descriptor, $0, $1) }
    #endif
    return code == 0 ? nil : errno
  }

  private static func connectError(_ code: Int32, _ endpoint: Endpoint) -> LinkError {
    code == ECONNREFUSED ? .refused(endpoint) : .system(call: "connect", code: code)
  }
}

/// What the accepting thread works on. It does not hold the transport, so that this can go.
private struct Acceptor: Sendable {
  let listeners: [Socket]
  let wakePipe: WakePipe
  let reactor: SocketReactor
  let arrivals: AsyncStream<any ByteStream>.Continuation
  let slots: ConnectionSlots

  /// Ends when the transport wakes it: it does so only to close.
  func work() {
    // Without descriptors left, accept fails at once: look again after this long, not at once.
    let pause: Int64 = 100_000_000
    var exhausted = false
    while true {
      var descriptors = ([wakePipe.readEnd] + (exhausted ? [] : listeners.map(\.descriptor)))
        .map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
      _ = Poll.wait(&descriptors, nanoseconds: exhausted ? pause : nil)
      if descriptors[0].revents != 0 { return }
      exhausted = listeners.reduce(false) { !acceptAll($1) || $0 }
    }
  }

  /// False where the machine has no descriptor left.
  private func acceptAll(_ listener: Socket) -> Bool {
    while true {
      var address = SocketAddress()
      let descriptor = unsafe address.withMutablePointer {
        unsafe accept(listener.descriptor, $0, $1)
      }
      guard descriptor >= 0 else {
        return ![EMFILE, ENFILE, ENOBUFS, ENOMEM].contains(errno)
      }
      guard let remote = address.endpoint, let slot = slots.take() else {
        _ = Socket.closeNow(descriptor)
        continue
      }
      admit(descriptor, slot, remote)
    }
  }

  private func admit(_ descriptor: Int32, _ slot: ConnectionSlot, _ remote: Endpoint) {
    do {
      let socket = try Socket(accepted: descriptor, slot: slot)
      try socket.set(Int32(IPPROTO_TCP), Int32(TCP_NODELAY), 1)
      // A stream that finds the queue full goes, and closes its connection.
      arrivals.yield(TCPStream(socket, remote: remote, reactor: reactor))
    } catch {
      // The connection ended before it began; its socket closed itself.
    }
  }
}
