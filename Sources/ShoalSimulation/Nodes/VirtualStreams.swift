// Streams between simulated peers: bytes in order, after their time on the way, through two pipes.

internal import ShoalNode
internal import ShoalProtocol

/// One direction of a connection. Touched only by whoever has the turn.
final class VirtualPipe: @unchecked Sendable {
  let sender: Int
  let receiver: Int
  private unowned let mesh: VirtualMesh
  private var underWay: [(at: Moment, bytes: [UInt8])] = []
  private var arrived: [UInt8] = []
  private var head = 0
  private(set) var isClosed = false
  private var closesAfterBytes = false
  private var waiter: (() -> Void)?
  private var pumpIsDue = false
  private var isDry = false

  init(sender: Int, receiver: Int, mesh: VirtualMesh) {
    (self.sender, self.receiver, self.mesh) = (sender, receiver, mesh)
  }

  var available: Int { arrived.count - head }

  /// False where the other side is gone.
  func write(_ bytes: [UInt8]) -> Bool {
    guard !isClosed, !closesAfterBytes else { return false }
    guard !isDry else { return true }
    let at = max(underWay.last?.at ?? mesh.loop.now, mesh.arrival(of: bytes.count, in: self))
    underWay.append((at, bytes))
    pump()
    return true
  }

  /// The sender ends the stream: what is under way still arrives.
  func finish() {
    closesAfterBytes = true
    if !isDry { pump() }
  }

  /// The stream breaks at once, at the receiver's side too.
  func breakOff() {
    isClosed = true
    underWay = []
    notify()
  }

  /// What is under way is lost, and all that will be written.
  func dryUp() {
    underWay = []
    isDry = true
  }

  /// Moves what has arrived, and comes back when the next piece does.
  private func pump() {
    guard !pumpIsDue, !isClosed else { return }
    guard let next = underWay.first?.at ?? (closesAfterBytes ? mesh.endArrival(in: self) : nil)
    else { return }
    pumpIsDue = true
    mesh.loop.at(next) { [self] in
      pumpIsDue = false
      deliver()
    }
  }

  private func deliver() {
    guard !isClosed else { return }
    guard mesh.network.carries(from: sender, to: receiver) else {
      // TCP tries again: nothing is lost, all is late.
      guard !underWay.isEmpty || closesAfterBytes else { return }
      pumpIsDue = true
      mesh.loop.at(mesh.loop.now + .milliseconds(200)) { [self] in
        pumpIsDue = false
        deliver()
      }
      return
    }
    while let first = underWay.first, first.at <= mesh.loop.now {
      arrived += first.bytes
      underWay.removeFirst()
    }
    if underWay.isEmpty, closesAfterBytes { isClosed = true }
    notify()
    pump()
  }

  private func notify() {
    let waiting = waiter
    waiter = nil
    waiting?()
  }

  func wait(_ wake: @escaping () -> Void) { waiter = wake }
  func stopWaiting() { waiter = nil }

  /// The next `count` bytes, which are there.
  func take(_ count: Int) -> ArraySlice<UInt8> {
    defer {
      head += count
      if head == arrived.count {
        arrived.removeAll(keepingCapacity: true)
        head = 0
      }
    }
    return arrived[head..<head + count]
  }

  /// Ends whoever waits here, for good.
  func abandon() {
    isClosed = true
    notify()
  }
}

/// One end of a connection, for tasks and then for a thread.
final class VirtualStream: ByteStream, DirectLink, @unchecked Sendable {
  let remote: Endpoint
  private let incoming: VirtualPipe
  private let outgoing: VirtualPipe
  private let owner: LoopOwner
  private let clock: VirtualClock
  private var isTaken = false

  init(
    remote: Endpoint, incoming: VirtualPipe, outgoing: VirtualPipe, owner: LoopOwner,
    clock: VirtualClock
  ) {
    self.remote = remote
    self.incoming = incoming
    self.outgoing = outgoing
    self.owner = owner
    self.clock = clock
  }

  func read(exactly count: Int, deadline: Moment?) async throws -> [UInt8] {
    guard !isTaken else { throw LinkError.closed }
    let start = clock.now()
    while incoming.available < count {
      if incoming.isClosed { throw LinkError.closed }
      if let deadline, clock.now() >= deadline {
        throw LinkError.timedOut(afterNanoseconds: (clock.now() - start).nanoseconds)
      }
      await waitForBytes(until: deadline.map(clock.virtual))
    }
    return Array(incoming.take(count))
  }

  private func waitForBytes(until deadline: Moment?) async {
    await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
      let once = Once(continuation)
      let timer = deadline.map { owner.loop.at($0) { once.resume() } }
      incoming.wait {
        timer?.cancel()
        once.resume()
      }
    }
    incoming.stopWaiting()
  }

  /// A continuation that two may want to resume.
  private final class Once {
    private var continuation: CheckedContinuation<Void, Never>?
    init(_ continuation: CheckedContinuation<Void, Never>) { self.continuation = continuation }
    func resume() {
      continuation?.resume()
      continuation = nil
    }
  }

  func write(_ bytes: [UInt8], deadline: Moment?) async throws {
    guard !isTaken, outgoing.write(bytes) else { throw LinkError.closed }
  }

  func close() { if !isTaken { shutdown() } }

  func takeDirect(waiting: WaitStrategy) throws -> any DirectLink {
    guard !isTaken else { throw LinkError.closed }
    isTaken = true
    return self
  }

  func send(_ bytes: UnsafeRawBufferPointer) throws(LinkError) {
    guard outgoing.write(unsafe Array(bytes)) else { throw .closed }
  }

  func receive(
    into buffer: UnsafeMutableRawBufferPointer, deadline: Moment?
  ) throws(LinkError) {
    let start = clock.now()
    let count = buffer.count
    while incoming.available < count {
      if incoming.isClosed { throw .closed }
      if let deadline, clock.now() >= deadline {
        throw .timedOut(afterNanoseconds: (clock.now() - start).nanoseconds)
      }
      _ = owner.loop.park(until: deadline.map(clock.virtual)) { incoming.wait($0) }
      incoming.stopWaiting()
    }
    unsafe buffer.copyBytes(from: incoming.take(count))
  }

  func shutdown() {
    outgoing.finish()
    incoming.abandon()
  }

  /// The machine at one end answers for a process that is gone.
  func reset() {
    incoming.breakOff()
    outgoing.breakOff()
  }

  /// Nothing arrives any more, and nothing says so.
  func fallSilent() {
    incoming.dryUp()
    outgoing.dryUp()
  }
}
