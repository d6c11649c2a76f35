// Virtual time for code that ships: actors, tasks and blocking threads take turns, one at a time,
// in an order that follows from what they do, and time passes only when nobody has anything to
// do.

private import Foundation
internal import ShoalProtocol
private import Synchronization

/// The peer, as far as the loop is concerned: its steps can be held back as a whole (SIGSTOP).
final class LoopOwner: TaskExecutor, @unchecked Sendable {
  let loop: VirtualLoop
  let number: Int
  /// Read and written by whoever has the turn.
  fileprivate(set) var isFrozen = false
  fileprivate var backlog: [VirtualLoop.Step] = []

  init(loop: VirtualLoop, number: Int) { (self.loop, self.number) = (loop, number) }

  func enqueue(_ job: consuming ExecutorJob) {
    loop.add(.job(UnownedJob(job), self))
  }

  func freeze() { isFrozen = true }

  func thaw() {
    isFrozen = false
    let steps = backlog
    backlog = []
    for step in steps { loop.add(step) }
  }
}

/// Everything below is touched by whoever has the turn: the loop's own thread, or the one carrier
/// that it has handed the turn to. Semaphores order the turns; that is what makes it sendable. Only
/// the list of what is ready may be added to from outside, before a story begins and after it ends.
final class VirtualLoop: @unchecked Sendable {
  enum Step {
    case job(UnownedJob, LoopOwner)
    case carrier(Carrier, LoopOwner)
    case thread(VirtualThread)
  }

  /// Something that happens at a time, unless it was called off.
  final class Timer: @unchecked Sendable {
    fileprivate var action: (() -> Void)?
    fileprivate init(_ action: @escaping () -> Void) { self.action = action }
    func cancel() { action = nil }
  }

  private struct Ready {
    var steps: [Step] = []
    var isStopped = false
  }

  private let ready = Mutex(Ready())
  private let arrival = DispatchSemaphore(value: 0)
  private var agenda = Agenda<Timer>()
  private(set) var now = Moment(nanoseconds: 0)
  /// Turns taken: with the trace, what tells two runs apart.
  private(set) var turns = 0
  /// While a story is told there is always somebody who waits for something.
  var isTelling = false
  private var idleCarriers: [Carrier] = []
  private var allCarriers: [Carrier] = []
  /// Who has the turn; nil: the loop itself.
  private(set) var current: (carrier: Carrier, owner: LoopOwner)?

  func start() {
    let thread = Thread { self.run() }
    thread.name = "virtual time"
    thread.start()
  }

  func stop() {
    ready.withLock { $0.isStopped = true }
    arrival.signal()
  }

  func add(_ step: Step) {
    ready.withLock { $0.steps.append(step) }
    arrival.signal()
  }

  @discardableResult
  func at(_ moment: Moment, _ action: @escaping () -> Void) -> Timer {
    let timer = Timer(action)
    agenda.add(timer, at: max(moment, now))
    return timer
  }

  // MARK: The loop

  private func run() {
    while true {
      let (steps, isStopped) = ready.withLock { ready in
        defer { ready.steps.removeAll(keepingCapacity: true) }
        return (ready.steps, ready.isStopped)
      }
      for step in steps { perform(step) }
      if isStopped { break }
      if steps.isEmpty, !advance() {
        precondition(!isTelling, "everybody waits for ever, at \(now.nanoseconds) ns")
        arrival.wait()
      }
    }
    for carrier in allCarriers { carrier.end() }
  }

  private func perform(_ step: Step) {
    turns += 1
    switch step {
    case .job(let job, let owner):
      if hold(step, owner) { return }
      unsafe job.runSynchronously(on: owner.asUnownedTaskExecutor())
    case .carrier(let carrier, let owner):
      if hold(step, owner) { return }
      hand(carrier, owner)
    case .thread(let thread):
      if hold(step, thread.owner) { return }
      let carrier = idleCarriers.popLast() ?? newCarrier()
      carrier.thread = thread
      hand(carrier, thread.owner)
    }
  }

  private func hold(_ step: Step, _ owner: LoopOwner) -> Bool {
    guard owner.isFrozen else { return false }
    owner.backlog.append(step)
    return true
  }

  private func newCarrier() -> Carrier {
    let carrier = Carrier()
    allCarriers.append(carrier)
    return carrier
  }

  /// Gives the turn to a carrier and waits until it comes back.
  private func hand(_ carrier: Carrier, _ owner: LoopOwner) {
    current = (carrier, owner)
    carrier.takeTurn()
    current = nil
    if carrier.thread == nil { idleCarriers.append(carrier) }
  }

  /// Performs the next thing on the agenda. False: there is none.
  private func advance() -> Bool {
    while let (at, timer) = agenda.removeFirst() {
      guard let action = timer.action else { continue }
      timer.action = nil
      now = max(now, at)
      action()
      return true
    }
    return false
  }

  // MARK: Blocking

  /// Blocks the carrier that has the turn until `wake` is called or `deadline` comes. Answers
  /// whether it was woken. `wake` is handed to `register` first.
  func park(until deadline: Moment?, register: (@escaping () -> Void) -> Void) -> Bool {
    guard let (carrier, owner) = current else {
      preconditionFailure("something blocks that is on no thread of its own")
    }
    let sleeper = Sleeper()
    let timer = deadline.map { deadline in
      at(deadline) {
        guard sleeper.isAsleep else { return }
        sleeper.isAsleep = false
        self.add(.carrier(carrier, owner))
      }
    }
    register {
      guard sleeper.isAsleep else { return }
      (sleeper.isAsleep, sleeper.wasWoken) = (false, true)
      timer?.cancel()
      self.add(.carrier(carrier, owner))
    }
    carrier.giveTurnBack()
    return sleeper.wasWoken
  }

  private final class Sleeper {
    var isAsleep = true
    var wasWoken = false
  }
}

/// A thread of the operating system that lends itself to one virtual thread after another.
final class Carrier: @unchecked Sendable {
  private let turn = DispatchSemaphore(value: 0)
  private let back = DispatchSemaphore(value: 0)
  private var hasEnded = false
  /// Whose jobs it runs; nil: it is free.
  fileprivate(set) var thread: VirtualThread?

  init() {
    let thread = Thread { self.work() }
    thread.name = "virtual thread"
    thread.start()
  }

  fileprivate func takeTurn() {
    turn.signal()
    back.wait()
  }

  fileprivate func giveTurnBack() {
    back.signal()
    turn.wait()
  }

  fileprivate func end() {
    hasEnded = true
    turn.signal()
  }

  private func work() {
    while true {
      turn.wait()
      if hasEnded { return }
      thread?.runJobs()
      thread = nil
      back.signal()
    }
  }
}

/// A thread that an actor lives on, in virtual time. It blocks by giving its turn back.
final class VirtualThread: SerialExecutor, TaskExecutor, @unchecked Sendable {
  let owner: LoopOwner
  private var jobs: [UnownedJob] = []
  private var isScheduled = false

  init(owner: LoopOwner) { self.owner = owner }

  func enqueue(_ job: consuming ExecutorJob) {
    jobs.append(UnownedJob(job))
    guard !isScheduled else { return }
    isScheduled = true
    owner.loop.add(.thread(self))
  }

  func asUnownedSerialExecutor() -> UnownedSerialExecutor {
    unsafe UnownedSerialExecutor(ordinary: self)
  }

  fileprivate func runJobs() {
    while !jobs.isEmpty {
      let job = jobs.removeFirst()
      unsafe job.runSynchronously(
        isolatedTo: asUnownedSerialExecutor(), taskExecutor: owner.asUnownedTaskExecutor())
    }
    isScheduled = false
  }
}
