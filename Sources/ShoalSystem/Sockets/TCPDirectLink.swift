// One TCP connection for the data path: synchronous, on the thread of whoever computes.

import ShoalNode
import ShoalProtocol

/// Used by one thread at a time, except for `shutdown`.
final class TCPDirectLink: DirectLink, @unchecked Sendable {
  let remote: Endpoint
  private let socket: Socket
  private let reactor: SocketReactor
  private var spin: SpinBudget
  private var staging = LinkStaging()
  private var inputEnded = false

  init(_ socket: Socket, remote: Endpoint, reactor: SocketReactor, waiting: WaitStrategy) {
    self.socket = socket
    self.reactor = reactor
    self.remote = remote
    spin = SpinBudget(adaptive: waiting == .adaptive)
  }

  func shutdown() { socket.shutdown() }

  func send(_ bytes: UnsafeRawBufferPointer) throws(LinkError) {
    var sent = 0
    while sent < bytes.count {
      switch unsafe socket.send(UnsafeRawBufferPointer(rebasing: bytes[sent...])) {
      case .moved(let count): sent += count
      case .wouldBlock: try waitForRoom()
      case .ended: throw .closed
      case .failed(let code): throw .system(call: "send", code: code)
      }
    }
  }

  /// The other side may be waiting for the same: what it sends is set aside meanwhile.
  private func waitForRoom() throws(LinkError) {
    let limit = Limits.linkStall.nanoseconds
    let stages = !inputEnded && staging.hasRoom
    let events = Poll.wait(
      socket.descriptor, stages ? [.writable, .readable] : .writable, nanoseconds: limit)
    if events.isEmpty { throw .timedOut(afterNanoseconds: limit) }
    guard stages, events.contains(.readable) else { return }
    switch unsafe staging.append({ unsafe socket.receive(into: $0) }) {
    case .moved, .wouldBlock: break
    case .ended: inputEnded = true
    case .failed(let code): throw .system(call: "recv", code: code)
    }
  }

  var looksAhead: Bool { true }

  var hasInput: Bool {
    !staging.isEmpty || inputEnded
      || !Poll.wait(socket.descriptor, .readable, nanoseconds: 0).isEmpty
  }

  func waitForInput(until deadline: Moment) async -> Bool {
    if hasInput { return true }
    return await reactor.wait(for: socket, .readable, deadline: deadline) == .ready
  }

  func receive(
    into buffer: UnsafeMutableRawBufferPointer, deadline: Moment?
  ) throws(LinkError) {
    _ = try unsafe receive(atLeast: buffer.count, into: buffer, deadline: deadline)
  }

  func receive(
    atLeast minimum: Int, into buffer: UnsafeMutableRawBufferPointer, deadline: Moment?
  ) throws(LinkError) -> Int {
    var filled = unsafe staging.take(into: buffer)
    var started: Int64?
    while filled < minimum {
      let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[filled...])
      if let count = unsafe try receiveNow(rest) {
        filled += count
        continue
      }
      let now = SystemClock.nanoseconds()
      started = started ?? now
      filled += unsafe try receiveAfterWait(
        rest, from: now, deadline: deadline, started: started ?? now)
    }
    return filled
  }

  /// Nil where nothing is there yet.
  private func receiveNow(_ buffer: UnsafeMutableRawBufferPointer) throws(LinkError) -> Int? {
    if inputEnded { throw .closed }
    switch unsafe socket.receive(into: buffer) {
    case .moved(let count): return count
    case .wouldBlock: return nil
    case .ended: throw .closed
    case .failed(let code): throw .system(call: "recv", code: code)
    }
  }

  private func receiveAfterWait(
    _ buffer: UnsafeMutableRawBufferPointer, from begin: Int64, deadline: Moment?, started: Int64
  ) throws(LinkError) -> Int {
    let budget = spin.nanoseconds
    var now = begin
    while now - begin < budget {
      if let count = unsafe try receiveNow(buffer) {
        spin.ended(after: now - begin, spinning: true)
        return count
      }
      now = SystemClock.nanoseconds()
    }
    while true {
      if let deadline, deadline.nanoseconds <= now {
        throw .timedOut(afterNanoseconds: now - started)
      }
      _ = Poll.wait(
        socket.descriptor, .readable, nanoseconds: deadline.map { $0.nanoseconds - now })
      let count = unsafe try receiveNow(buffer)
      now = SystemClock.nanoseconds()
      if let count {
        spin.ended(after: now - begin, spinning: budget > 0)
        return count
      }
    }
  }
}
