// The queue before the node: who runs, who waits, who is sent away.

import ShoalGateway
import Testing

struct AdmissionTests {
  private static let bounds = AdmissionQueue.Bounds(running: 2, waiting: 5, waitingOfOne: 3)

  @Test func `as many run as may, the next wait, and the rest is refused by whose fault it is`() {
    var queue = AdmissionQueue(Self.bounds)
    #expect((0..<2).map { queue.enter($0, user: "a") } == [.runs, .runs])
    #expect((2..<5).map { queue.enter($0, user: "a") } == [.waits, .waits, .waits])
    #expect(queue.enter(5, user: "a") == .tooManyOfOne(waiting: 3))
    #expect(queue.enter(6, user: "b") == .waits)
    #expect(queue.enter(7, user: "c") == .waits)
    #expect(queue.enter(8, user: "d") == .full(waiting: 5))
    #expect(queue.running == [0, 1])
  }

  @Test func `users take turns, and one user's own are served in their order`() {
    var queue = AdmissionQueue(.init(running: 1, waiting: 20, waitingOfOne: 20))
    _ = queue.enter(0, user: "a")
    for ticket in 1...4 { _ = queue.enter(UInt64(ticket), user: "a") }
    for ticket in 5...6 { _ = queue.enter(UInt64(ticket), user: "b") }
    _ = queue.enter(7, user: "c")
    var order: [UInt64] = []
    var running: UInt64 = 0
    while let next = queue.leave(running).first {
      order.append(next)
      running = next
    }
    #expect(order == [1, 5, 7, 2, 6, 3, 4])
    #expect(queue.running.isEmpty && queue.waiting == 0)
  }

  @Test func `who gives up waiting leaves the queue, and others keep their places`() {
    var queue = AdmissionQueue(.init(running: 1, waiting: 3, waitingOfOne: 3))
    for ticket in 0..<4 { _ = queue.enter(UInt64(ticket), user: "a") }
    #expect(queue.leave(2).isEmpty)
    #expect(queue.enter(9, user: "b") == .waits)
    #expect(queue.leave(0) == [1])
    #expect(queue.leave(1) == [9])
    #expect(queue.leave(9) == [3])
  }

  /// Every order of arrivals and ends keeps the bounds, and nobody is forgotten.
  @Test func `nobody is lost, whatever the order`() {
    var state: UInt64 = 5
    let next = { (limit: UInt64) -> UInt64 in
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return (state >> 33) % limit
    }
    for _ in 0..<200 {
      var queue = AdmissionQueue(Self.bounds)
      var (running, waiting): (Set<UInt64>, Set<UInt64>) = ([], [])
      for ticket in 0..<60 as Range<UInt64> {
        switch queue.enter(ticket, user: ["a", "b", "c"][Int(next(3))]) {
        case .runs: running.insert(ticket)
        case .waits: waiting.insert(ticket)
        case .tooManyOfOne, .full: break
        }
        let known = running.union(waiting).sorted()
        guard next(2) == 0, !known.isEmpty else { continue }
        let leaver = known[Int(next(UInt64(known.count)))]
        running.remove(leaver)
        waiting.remove(leaver)
        for one in queue.leave(leaver) {
          #expect(waiting.remove(one) != nil)
          running.insert(one)
        }
        #expect(queue.running == running && queue.waiting == waiting.count)
        #expect(running.count <= 2 && waiting.count <= 5)
        #expect(waiting.isEmpty || running.count == 2)
      }
    }
  }
}
