// Fork-join: every piece once, all done on return, whoever else calls.

import ShoalProtocol
import ShoalSystem
import Synchronization
import Testing

@Suite struct WorkerPoolTests {
  @Test(
    "every piece runs exactly once before run returns",
    arguments: [1, 2, 3, 4], [Duration.zero, .microseconds(40)])
  func everyPieceOnce(threads: Int, spin: Duration) throws {
    let pool = try WorkerPool(count: threads, spin: spin)
    defer { pool.stop() }
    #expect(pool.count == threads)
    for round in 0..<400 {
      let pieces = round % 37
      let calls = (0..<pieces).map { _ in Counter() }
      pool.run(pieces) { calls[$0].add(1) }
      #expect(calls.allSatisfy { $0.value == 1 }, "round \(round)")
    }
  }

  @Test("plain memory written by the pieces is visible after run")
  func resultsAreVisible() throws {
    let pool = try WorkerPool(count: 3)
    defer { pool.stop() }
    let cells = UnsafeMutableBufferPointer<Int>.allocate(capacity: 64)
    defer { unsafe cells.deallocate() }
    for round in 0..<2_000 {
      unsafe cells.update(repeating: -1)
      pool.run(64) { unsafe cells[$0] = round &* 64 &+ $0 }
      let right = unsafe cells.enumerated().allSatisfy { $0.element == round * 64 + $0.offset }
      #expect(right, "round \(round)")
    }
  }

  @Test("a run inside a run and runs from several tasks at once are complete")
  func nestedAndConcurrent() async throws {
    let pool = try WorkerPool(count: 2)
    defer { pool.stop() }
    let total = Counter()
    await withTaskGroup { group in
      for _ in 0..<4 {
        group.addTask {
          for _ in 0..<100 {
            pool.run(5) { _ in pool.run(3) { total.add($0 + 1) } }
          }
        }
      }
    }
    #expect(total.value == 4 * 100 * 5 * 6)
  }

  @Test("a stopped pool still does the work, on the caller's thread")
  func stopped() throws {
    let pool = try WorkerPool(count: 3)
    pool.stop()
    pool.stop()
    let total = Counter()
    pool.run(10) { total.add($0) }
    #expect(total.value == 45)
  }

  @Test("fork and join cost microseconds, back to back and from sleep")
  func latency() throws {
    let pool = try WorkerPool(count: 2)
    defer { pool.stop() }
    let clock = SystemClock()
    var samples: [Int64] = []
    for _ in 0..<5_000 {
      let start = clock.now()
      pool.run(2) { _ in }
      samples.append((clock.now() - start).nanoseconds)
    }
    samples.sort()
    Attachment.record(
      "p50 \(samples[2_500]) ns, p99 \(samples[4_950]) ns", named: "fork-join.txt")
    // Far above what is expected (under 10 microseconds), far below a scheduler's slice.
    #expect(samples[2_500] < 1_000_000)
  }
}

/// A sum that threads add to.
final class Counter: Sendable {
  private let sum = Atomic<Int>(0)
  func add(_ amount: Int) { sum.wrappingAdd(amount, ordering: .relaxed) }
  var value: Int { sum.load(ordering: .sequentiallyConsistent) }
}
