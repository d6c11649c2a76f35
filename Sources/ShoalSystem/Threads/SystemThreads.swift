// Threads, gates and workers of this operating system, for the seam of ShoalNode.

import Dispatch
public import ShoalNode
public import ShoalProtocol

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

extension ThreadExecutor: ActorThread {}
extension WorkerPool: StoppableWorkers {}

/// Threads of this process.
public struct SystemThreads: ThreadSource {
  public init() {}

  public func thread(name: String) -> any ActorThread { ThreadExecutor(name: name) }

  public func gate() -> any ThreadGate { SemaphoreGate() }

  public func workers(count: Int) throws -> any StoppableWorkers { try WorkerPool(count: count) }

  public func sleep(until deadline: Moment) {
    var left = deadline - SystemClock().now()
    while left > .zero {
      var request = timespec(
        tv_sec: Int(left.nanoseconds / 1_000_000_000),
        tv_nsec: Int(left.nanoseconds % 1_000_000_000))
      unsafe nanosleep(&request, nil)
      left = deadline - SystemClock().now()
    }
  }
}

/// A counting semaphore.
private final class SemaphoreGate: ThreadGate {
  private let semaphore = DispatchSemaphore(value: 0)

  func signal() { semaphore.signal() }

  func wait(until deadline: Moment?) -> Bool {
    guard let deadline else {
      semaphore.wait()
      return true
    }
    let left = max(0, (deadline - SystemClock().now()).nanoseconds)
    let timeout = DispatchTime.now() + .nanoseconds(Int(min(left, 1 << 60)))
    return semaphore.wait(timeout: timeout) == .success
  }
}
