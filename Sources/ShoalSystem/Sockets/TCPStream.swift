// One TCP connection for asynchronous use: the handshake, and the class that carries shards.

import ShoalNode
import ShoalProtocol
import Synchronization

/// Every call on the socket is non-blocking; between calls the reactor waits.
final class TCPStream: ByteStream {
  let remote: Endpoint
  private let reactor: SocketReactor

  private enum State {
    case open(Socket)
    /// Closed here, or handed over.
    case over
  }
  private let state: Mutex<State>

  init(_ socket: Socket, remote: Endpoint, reactor: SocketReactor) {
    self.remote = remote
    self.reactor = reactor
    state = Mutex(.open(socket))
  }

  func read(exactly count: Int, deadline: Moment?) async throws -> [UInt8] {
    try checkLength(count)
    let started = SystemClock.nanoseconds()
    var bytes = [UInt8](repeating: 0, count: count)
    var filled = 0
    while filled < count {
      let socket = try openSocket()
      let transfer = unsafe bytes.withUnsafeMutableBytes {
        unsafe socket.receive(into: UnsafeMutableRawBufferPointer(rebasing: $0[filled...]))
      }
      filled += try await progress(transfer, socket, .readable, started, deadline)
    }
    return bytes
  }

  func write(_ bytes: [UInt8], deadline: Moment?) async throws {
    try checkLength(bytes.count)
    let started = SystemClock.nanoseconds()
    var written = 0
    while written < bytes.count {
      let socket = try openSocket()
      let transfer = unsafe bytes.withUnsafeBytes {
        unsafe socket.send(UnsafeRawBufferPointer(rebasing: $0[written...]))
      }
      written += try await progress(transfer, socket, .writable, started, deadline)
    }
  }

  func close() {
    let state = state.withLock { state in
      defer { state = .over }
      return state
    }
    if case .open(let socket) = state { socket.shutdown() }
  }

  func takeDirect(waiting: WaitStrategy) throws -> any DirectLink {
    let state = state.withLock { state in
      defer { state = .over }
      return state
    }
    guard case .open(let socket) = state else { throw LinkError.closed }
    return TCPDirectLink(socket, remote: remote, reactor: reactor, waiting: waiting)
  }

  deinit { close() }

  private func openSocket() throws(LinkError) -> Socket {
    switch state.withLock({ $0 }) {
    case .open(let socket): return socket
    case .over: throw .closed
    }
  }

  private func checkLength(_ count: Int) throws(LinkError) {
    guard count <= Limits.streamPieceBytes else {
      throw .tooLong(limit: Limits.streamPieceBytes, asked: count)
    }
  }

  /// The bytes that a call moved; zero after waiting for the socket to take the next call.
  private func progress(
    _ transfer: Transfer, _ socket: Socket, _ events: PollEvents, _ started: Int64,
    _ deadline: Moment?
  ) async throws -> Int {
    switch transfer {
    case .moved(let count): return count
    case .ended: throw LinkError.closed
    case .failed(let code):
      throw LinkError.system(call: events == .readable ? "recv" : "send", code: code)
    case .wouldBlock: break
    }
    switch await reactor.wait(for: socket, events, deadline: deadline) {
    case .ready: return 0
    case .cancelled: throw CancellationError()
    case .stopped: throw LinkError.closed
    case .timedOut:
      throw LinkError.timedOut(afterNanoseconds: SystemClock.nanoseconds() - started)
    }
  }
}
