// What is to happen, by virtual time; at equal times in the order in which it was put down.

package import ShoalProtocol

/// A binary heap, the earliest first.
package struct Agenda<Item> {
  private struct Entry {
    let at: Moment
    let order: UInt64
    let item: Item

    func isBefore(_ other: Entry) -> Bool {
      at == other.at ? order < other.order : at < other.at
    }
  }

  private var entries: [Entry] = []
  private var nextOrder: UInt64 = 0

  package init() {}

  package var isEmpty: Bool { entries.isEmpty }
  package var count: Int { entries.count }
  package var nextMoment: Moment? { entries.first?.at }

  package mutating func add(_ item: Item, at moment: Moment) {
    entries.append(Entry(at: moment, order: nextOrder, item: item))
    nextOrder += 1
    var child = entries.count - 1
    while child > 0, entries[child].isBefore(entries[(child - 1) / 2]) {
      entries.swapAt(child, (child - 1) / 2)
      child = (child - 1) / 2
    }
  }

  package mutating func removeFirst() -> (at: Moment, item: Item)? {
    guard let first = entries.first else { return nil }
    entries.swapAt(0, entries.count - 1)
    entries.removeLast()
    var parent = 0
    while true {
      var least = parent
      for child in [2 * parent + 1, 2 * parent + 2]
      where child < entries.count && entries[child].isBefore(entries[least]) { least = child }
      if least == parent { return (first.at, first.item) }
      entries.swapAt(parent, least)
      parent = least
    }
  }
}
