// A peer's operating system in virtual time: clock, chance, threads.

internal import ShoalInference
internal import ShoalNode
internal import ShoalProtocol

extension VirtualThread: ActorThread {
  /// The carrier is lent to others as soon as no job is left, so there is nothing to end.
  func stop() {}
}

struct VirtualThreads: ThreadSource {
  let owner: LoopOwner
  let clock: VirtualClock

  func thread(name: String) -> any ActorThread { VirtualThread(owner: owner) }
  func gate() -> any ThreadGate { VirtualGate(loop: owner.loop, clock: clock) }
  func sleep(until deadline: Moment) {
    _ = owner.loop.park(until: clock.virtual(deadline)) { _ in }
  }
  func workers(count: Int) -> any StoppableWorkers { VirtualWorkers() }
}

/// Pieces run one after the other on the caller's thread: there is one turn.
struct VirtualWorkers: StoppableWorkers {
  private let serial = SerialWorkers()
  var count: Int { serial.count }
  func run(_ pieces: Int, _ body: (Int) -> Void) { serial.run(pieces, body) }
  func stop() {}
}

/// Touched only by whoever has the turn.
final class VirtualGate: ThreadGate, @unchecked Sendable {
  private let loop: VirtualLoop
  private let clock: VirtualClock
  private var signals = 0
  private var wake: (() -> Void)?

  init(loop: VirtualLoop, clock: VirtualClock) { (self.loop, self.clock) = (loop, clock) }

  func signal() {
    signals += 1
    let sleeper = wake
    wake = nil
    sleeper?()
  }

  func wait(until deadline: Moment?) -> Bool {
    if signals == 0 {
      _ = loop.park(until: deadline.map(clock.virtual)) { wake = $0 }
      wake = nil
    }
    guard signals > 0 else { return false }
    signals -= 1
    return true
  }
}

/// One peer's clocks, which may be off and drift.
struct VirtualClock: MeshClock {
  let loop: VirtualLoop
  let local: LocalClock

  func now() -> Moment { local.local(loop.now) }
  func unixMilliseconds() -> UInt64 { local.unixMilliseconds(loop.now) }
  func virtual(_ moment: Moment) -> Moment {
    // Waits without end are written as moments far away.
    moment.nanoseconds > 1 << 61 ? moment : local.virtual(moment)
  }

  func sleep(until deadline: Moment) async throws {
    try await loop.sleep(until: virtual(deadline))
  }
}

extension VirtualLoop {
  /// Returns at `moment`; throws `CancellationError` when the task is cancelled.
  func sleep(until moment: Moment) async throws {
    let nap = Nap()
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        guard !nap.isCancelled else { return continuation.resume() }
        nap.continuation = continuation
        nap.timer = at(moment) { nap.end() }
      }
    } onCancel: {
      nap.isCancelled = true
      nap.timer?.cancel()
      nap.end()
    }
    try Task.checkCancellation()
  }

  /// Touched only by whoever has the turn.
  private final class Nap: @unchecked Sendable {
    var continuation: CheckedContinuation<Void, Never>?
    var timer: Timer?
    var isCancelled = false

    func end() {
      let sleeper = continuation
      continuation = nil
      sleeper?.resume()
    }
  }
}

/// Chance from a seed. Touched only by whoever has the turn.
final class SeededSource: RandomSource, @unchecked Sendable {
  private var generator: SeededGenerator

  init(_ generator: SeededGenerator) { self.generator = generator }

  func next() -> UInt64 { generator.next() }

  func fill(_ buffer: UnsafeMutableRawBufferPointer) {
    for index in 0..<buffer.count {
      unsafe buffer[index] = UInt8(truncatingIfNeeded: generator.next())
    }
  }
}
