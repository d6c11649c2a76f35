// One thread under an actor: the same thread for all of its calls, and it can end.

import ShoalSystem
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

private actor Tally {
  private let executor: ThreadExecutor
  private var count = 0
  init(_ executor: ThreadExecutor) { self.executor = executor }
  nonisolated var unownedExecutor: UnownedSerialExecutor {
    unsafe executor.asUnownedSerialExecutor()
  }
  func add() -> (count: Int, thread: UInt) {
    count += 1
    return (count, currentThread())
  }
  func addBoth(_ other: Tally) -> Int {
    count += 1
    return other.assumeIsolated { $0.add().count } + count
  }
}

@Suite struct ThreadExecutorTests {
  @Test("two actors on one executor run on one thread and call each other without a hop")
  func oneThread() async {
    let executor = ThreadExecutor(name: "shoal-test")
    defer { executor.stop() }
    let (left, right) = (Tally(executor), Tally(executor))
    let threads = await withTaskGroup(of: UInt.self) { group in
      for number in 0..<200 {
        group.addTask { await (number % 2 == 0 ? left : right).add().thread }
      }
      return await group.reduce(into: Set<UInt>()) { $0.insert($1) }
    }
    #expect(threads.count == 1)
    #expect(threads != [currentThread()])
    #expect(await left.addBoth(right) == 202)
  }

  @Test("a job that comes after stop still runs")
  func afterStop() async {
    let executor = ThreadExecutor(name: "shoal-test")
    let tally = Tally(executor)
    #expect(await tally.add().count == 1)
    executor.stop()
    #expect(await tally.add().count == 2)
    #expect(await tally.add().count == 3)
  }

  @Test("a task that prefers the executor runs on its thread")
  func taskPreference() async {
    let executor = ThreadExecutor(name: "shoal-test")
    defer { executor.stop() }
    let inside = await withTaskExecutorPreference(executor) {
      executor.isIsolatingCurrentContext()
    }
    #expect(inside == true)
    #expect(executor.isIsolatingCurrentContext() == false)
  }
}

private func currentThread() -> UInt {
  #if canImport(Darwin)
    unsafe UInt(bitPattern: pthread_self())
  #else
    UInt(pthread_self())
  #endif
}
