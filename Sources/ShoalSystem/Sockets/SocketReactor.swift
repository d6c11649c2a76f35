// Lets tasks wait for sockets: one thread sleeps in poll(2) for all of them.

import ShoalProtocol
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// How a wait ended.
enum Readiness: Hashable {
  /// The next call on the socket will say something, be it an error.
  case ready
  case timedOut
  case cancelled
  /// The reactor is gone.
  case stopped
}

/// The handle: the thread ends when the last stream and transport let go of it.
final class SocketReactor: Sendable {
  private let core: ReactorCore

  init() throws(SystemCallError) {
    let core = try ReactorCore()
    self.core = core
    try SystemThread(name: "shoal-streams") { core.work() }.detach()
  }

  deinit { core.stop() }

  /// Returns when `socket` is ready for one of `events`, or has ended. Takes no thread meanwhile.
  func wait(
    for socket: Socket, _ events: PollEvents, deadline: Moment?
  ) async -> Readiness {
    let id = core.nextID()
    defer { core.forget(id) }
    return await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        core.add(
          id,
          ReactorCore.Wait(
            socket: socket, events: events, deadline: deadline, continuation: continuation),
          isCancelled: Task.isCancelled)
      }
    } onCancel: {
      core.cancel(id)
    }
  }
}

private final class ReactorCore: Sendable {
  struct Wait {
    let socket: Socket
    let events: PollEvents
    let deadline: Moment?
    let continuation: CheckedContinuation<Readiness, Never>
  }

  private struct State {
    var waits: [UInt64: Wait] = [:]
    var cancelled: Set<UInt64> = []
    var lastID: UInt64 = 0
    var stopped = false
  }
  private let state = Mutex(State())
  private let wakePipe: WakePipe

  init() throws(SystemCallError) { wakePipe = try WakePipe() }

  func nextID() -> UInt64 {
    state.withLock {
      $0.lastID += 1
      return $0.lastID
    }
  }

  func add(_ id: UInt64, _ wait: Wait, isCancelled: Bool) {
    let refusal = state.withLock { state -> Readiness? in
      if state.stopped { return .stopped }
      if state.cancelled.remove(id) != nil || isCancelled { return .cancelled }
      state.waits[id] = wait
      return nil
    }
    if let refusal { wait.continuation.resume(returning: refusal) } else { wakePipe.wake() }
  }

  /// May come before `add`, which then finds the id among the cancelled.
  func cancel(_ id: UInt64) {
    let wait = state.withLock { state in
      let wait = state.waits.removeValue(forKey: id)
      if wait == nil { state.cancelled.insert(id) }
      return wait
    }
    wait?.continuation.resume(returning: .cancelled)
    wakePipe.wake()
  }

  /// The wait is over: no cancellation of it can come any more.
  func forget(_ id: UInt64) { state.withLock { _ = $0.cancelled.remove(id) } }

  func stop() {
    state.withLock { $0.stopped = true }
    wakePipe.wake()
  }

  func work() {
    while true {
      let (waits, stopped) = state.withLock { state in
        (state.waits.sorted { $0.key < $1.key }, state.stopped)
      }
      if stopped {
        for (id, _) in waits { finish(id, .stopped) }
        return
      }
      var descriptors = [pollfd(fd: wakePipe.readEnd, events: Int16(POLLIN), revents: 0)]
      for (_, wait) in waits {
        descriptors.append(
          pollfd(fd: wait.socket.descriptor, events: wait.events.rawValue, revents: 0))
      }
      let now = SystemClock.nanoseconds()
      let first = waits.compactMap { $0.value.deadline?.nanoseconds }.min()
      _ = Poll.wait(&descriptors, nanoseconds: first.map { $0 - now })
      if descriptors[0].revents != 0 { wakePipe.drain() }
      let after = SystemClock.nanoseconds()
      for ((id, wait), descriptor) in zip(waits, descriptors.dropFirst()) {
        if descriptor.revents != 0 {
          finish(id, .ready)
        } else if let deadline = wait.deadline?.nanoseconds, deadline <= after {
          finish(id, .timedOut)
        }
      }
    }
  }

  private func finish(_ id: UInt64, _ readiness: Readiness) {
    let wait = state.withLock { $0.waits.removeValue(forKey: id) }
    wait?.continuation.resume(returning: readiness)
  }
}
