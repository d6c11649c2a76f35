// What the simulation is built on: chance from a seed, and an agenda in the order of time.

import ShoalProtocol
import Testing

import ShoalSimulation

@Suite struct TimeTests {
  @Test func `one seed, one sequence`() {
    var (one, same, other) = (SeededGenerator(1), SeededGenerator(1), SeededGenerator(2))
    let numbers = (0..<8).map { _ in one.next() }
    #expect(numbers == (0..<8).map { _ in same.next() })
    #expect(numbers != (0..<8).map { _ in other.next() })
  }

  @Test func `what is due first comes first, and in the order in which it was put down`() {
    var agenda = Agenda<Int>()
    let times = [5, 1, 3, 1, 5, 2, 1]
    for (item, time) in times.enumerated() {
      agenda.add(item, at: Moment(nanoseconds: Int64(time)))
    }
    var items: [Int] = []
    while let next = agenda.removeFirst() { items.append(next.item) }
    #expect(items == [1, 3, 6, 5, 2, 0, 4])
  }
}
