// Fork-join on threads that stay: a few microseconds per step, where a task group takes ten.

public import ShoalInference
import ShoalProtocol
import Synchronization

/// `count - 1` threads that wait for work and the caller's own. Idle threads spin for a bounded
/// time, since the next step of a token comes within microseconds, then sleep in the kernel.
///
/// Where other programs keep threads from their cores, the caller works alone for a while
/// (`WorkerTrust`).
///
/// Two runs at once, or a run inside a run, are correct: the second runs on its caller's thread.
public final class WorkerPool: Workers {
  public let count: Int
  private let fork: Fork
  private let threads: Mutex<[SystemThread]>

  /// - Parameters:
  ///   - count: threads in all, the caller's included; at least 1. One starts no thread.
  ///   - spin: how long an idle thread looks for work before it sleeps. Zero where more threads
  ///     want to run than there are cores: there, spinning takes the core from whoever has work.
  /// - Throws: `SystemCallError` where the system gives no thread.
  public init(
    count: Int, name: String = "shoal-worker", spin: Duration = .microseconds(40)
  ) throws(SystemCallError) {
    self.count = max(1, count)
    let fork = Fork(spinNanoseconds: spin.nanoseconds)
    self.fork = fork
    var started: [SystemThread] = []
    do {
      for number in 1..<max(1, count) {
        started.append(try SystemThread(name: "\(name)-\(number)") { fork.work() })
      }
    } catch {
      fork.stop()
      for thread in started { thread.join() }
      throw error
    }
    threads = Mutex(started)
  }

  deinit { stop() }

  public var isSharing: Bool {
    guard count > 1, fork.begin() else { return false }
    defer { fork.end() }
    return !fork.isAlone
  }

  /// Ends the threads. Later runs are done by the caller alone.
  public func stop() {
    let ended = threads.withLock { threads in
      defer { threads = [] }
      return threads
    }
    guard !ended.isEmpty else { return }
    fork.stop()
    for thread in ended { thread.join() }
  }

  public func run(_ pieces: Int, _ body: (Int) -> Void) {
    guard count > 1, pieces > 1, fork.begin() else {
      for piece in 0..<max(0, pieces) { body(piece) }
      return
    }
    defer { fork.end() }
    if fork.isAlone {
      for piece in 0..<pieces { body(piece) }
      return
    }
    withoutActuallyEscaping(body) { body in
      unsafe withUnsafePointer(to: body) { unsafe fork.run(pieces, $0) }
    }
  }
}

/// What the threads of a pool share.
///
/// `tickets` holds the number of the run above and the pieces not yet taken below. A thread that
/// takes a piece by compare-and-exchange holds back the end of that run, so that what it then
/// reads (`pieces`, `body`) belongs to it; a thread that wakes late finds nothing to take and
/// touches nothing.
@safe private final class Fork: @unchecked Sendable {
  private let tickets = Atomic<UInt64>(0)
  private let busy = Atomic<Bool>(false)
  private let stopping = Atomic<Bool>(false)
  /// Changes with each run: what idle threads sleep on.
  private let runs = FutexWord()
  private let sleepers = FutexWord()
  /// Pieces not yet finished: what the caller sleeps on.
  private let unfinished = FutexWord()
  private let callerSleeps = FutexWord()
  private let spinNanoseconds: Int64

  /// Touched by the caller that holds `busy` only.
  private var trust = WorkerTrust()

  // Written by the caller before `tickets` publishes them.
  private var pieces = 0
  private var body: UnsafePointer<(Int) -> Void>?

  init(spinNanoseconds: Int64) { self.spinNanoseconds = spinNanoseconds }

  func begin() -> Bool {
    !busy.exchange(true, ordering: .acquiring)
  }
  func end() { busy.store(false, ordering: .releasing) }
  var isAlone: Bool { trust.isAlone(at: SystemClock.nanoseconds()) }

  func stop() {
    stopping.store(true, ordering: .sequentiallyConsistent)
    runs.add(1)
    runs.wakeAll()
  }

  func run(_ pieces: Int, _ body: UnsafePointer<(Int) -> Void>) {
    precondition(pieces <= Int(UInt32.max), "a run of \(pieces) pieces")
    self.pieces = pieces
    unsafe self.body = unsafe body
    unfinished.store(UInt32(pieces))
    let number = runs.load() &+ 1
    tickets.store(UInt64(number) << 32 | UInt64(pieces), ordering: .sequentiallyConsistent)
    runs.store(number)
    let asleep = Int(sleepers.load())
    if asleep > 0 { runs.wake(min(asleep, pieces - 1)) }
    // Time on the processor: a caller that was held up itself must not seem slow at its pieces.
    let (start, processorStart) = (SystemClock.nanoseconds(), SystemClock.threadNanoseconds())
    var own = 0
    while takePiece() { own += 1 }
    let computed = SystemClock.threadNanoseconds() - processorStart
    join()
    unsafe self.body = nil
    let end = SystemClock.nanoseconds()
    trust.joined(at: end, own: own, of: pieces, computed: computed, took: end - start)
  }

  private func join() {
    if SpinWait.until(spinNanoseconds, { unfinished.load() == 0 }) { return }
    callerSleeps.store(1)
    while true {
      let left = unfinished.load()
      if left == 0 { break }
      unfinished.sleep(while: left)
    }
    callerSleeps.store(0)
  }

  /// Does one piece of the current run; false when none is left to take.
  private func takePiece() -> Bool {
    var seen = tickets.load(ordering: .sequentiallyConsistent)
    while true {
      let left = seen & 0xffff_ffff
      guard left > 0 else { return false }
      let (exchanged, original) = tickets.weakCompareExchange(
        expected: seen, desired: seen - 1, ordering: .sequentiallyConsistent)
      if exchanged {
        perform(pieces - Int(left))
        return true
      }
      seen = original
    }
  }

  /// A call of its own, so that the closure is let go before the piece counts as finished.
  @inline(never)
  private func callBody(_ piece: Int) {
    unsafe body?.pointee(piece)
  }

  private func perform(_ piece: Int) {
    callBody(piece)
    if unfinished.subtract(1) == 0, callerSleeps.load() == 1 { unfinished.wake(1) }
  }

  /// The life of one thread.
  func work() {
    var seen = runs.load()
    while !stopping.load(ordering: .sequentiallyConsistent) {
      while takePiece() {}
      let waited = seen
      if !SpinWait.until(spinNanoseconds, { runs.load() != waited }) {
        sleepers.add(1)
        runs.sleep(while: waited)
        sleepers.subtract(1)
      }
      seen = runs.load()
    }
  }
}
