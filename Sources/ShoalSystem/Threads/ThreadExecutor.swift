// An executor that is one thread: what runs on it may block and spin without holding up others.

import Synchronization

/// Runs the jobs of the actors (`unownedExecutor`) and tasks (`executorPreference`) that name it,
/// in order, on one named thread. Actors that share it call each other without a hop
/// (`assumeIsolated`).
///
/// The thread starts with the first job. `stop` lets it end when no job is left; a job that comes
/// later starts it again, since a dropped job would leave its task waiting for ever.
public final class ThreadExecutor: SerialExecutor, TaskExecutor {
  public let name: String

  private struct State {
    var jobs: [UnownedJob] = []
    var thread: SystemThread?
    var stopping = false
  }
  private let state = Mutex(State())
  private let signal = FutexWord()

  public init(name: String) { self.name = name }

  public func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    // Whoever enqueues holds no reference of its own: the job may run, end, and with it the last
    // owner of this executor may go, before the signal below is given.
    let keeper = unsafe Unmanaged.passRetained(self)
    defer { unsafe keeper.release() }
    let wasIdle = state.withLock { state in
      state.jobs.append(job)
      if state.thread == nil { start(&state) }
      return state.jobs.count == 1
    }
    if wasIdle {
      signal.add(1)
      signal.wake(1)
    }
  }

  /// Lets the thread end as soon as no job is left.
  public func stop() {
    state.withLock { $0.stopping = true }
    signal.add(1)
    signal.wake(1)
  }

  public func asUnownedSerialExecutor() -> UnownedSerialExecutor {
    unsafe UnownedSerialExecutor(ordinary: self)
  }

  public func isIsolatingCurrentContext() -> Bool? {
    state.withLock { $0.thread?.isCurrent ?? false }
  }

  public func checkIsolated() {
    precondition(
      state.withLock { $0.thread?.isCurrent ?? false }, "not on the thread \(name)")
  }

  private func start(_ state: inout State) {
    do {
      let thread = try SystemThread(name: name) { self.work() }
      thread.detach()
      state.thread = thread
    } catch {
      preconditionFailure("no thread for the executor \(name): \(error)")
    }
  }

  private func work() {
    while true {
      let seen = signal.load()
      let (jobs, ended) = state.withLock { state in
        let jobs = state.jobs
        state.jobs.removeAll(keepingCapacity: true)
        let ended = jobs.isEmpty && state.stopping
        if ended { state.thread = nil }
        return (jobs, ended)
      }
      if ended { return }
      if jobs.isEmpty { signal.sleep(while: seen) }
      for job in jobs {
        unsafe job.runSynchronously(
          isolatedTo: asUnownedSerialExecutor(), taskExecutor: asUnownedTaskExecutor())
      }
    }
  }
}
