// What is to happen, by virtual time; at equal times in the order in which it was put down.

package import ShoalProtocol

/// A binary heap, the earliest first. What is to happen lies in places of its own, so that the heap
/// moves three words at a time.
package struct Agenda<Item> {
  private struct Entry {
    let at: Moment
    let order: UInt64
    let place: Int

    func isBefore(_ other: Entry) -> Bool {
      at == other.at ? order < other.order : at < other.at
    }
  }

  private var entries: [Entry] = []
  private var items: [Item?] = []
  private var free: [Int] = []
  private var nextOrder: UInt64 = 0

  package init() {}

  package var isEmpty: Bool { entries.isEmpty }
  package var count: Int { entries.count }
  package var nextMoment: Moment? { entries.first?.at }

  package mutating func add(_ item: Item, at moment: Moment) {
    let place = free.popLast() ?? items.count
    if place < items.count { items[place] = item } else { items.append(item) }
    let entry = Entry(at: moment, order: nextOrder, place: place)
    nextOrder += 1
    entries.append(entry)
    var child = entries.count - 1
    while child > 0, entry.isBefore(entries[(child - 1) / 2]) {
      entries[child] = entries[(child - 1) / 2]
      child = (child - 1) / 2
    }
    entries[child] = entry
  }

  package mutating func removeFirst() -> (at: Moment, item: Item)? {
    guard let first = entries.first, let last = entries.popLast() else { return nil }
    if !entries.isEmpty { sink(last) }
    free.append(first.place)
    guard let item = items[first.place].take() else {
      preconditionFailure("an entry of the agenda without its item")
    }
    return (first.at, item)
  }

  /// Puts `entry` where the first one was, and then where it belongs.
  private mutating func sink(_ entry: Entry) {
    var parent = 0
    while true {
      var least = 2 * parent + 1
      guard least < entries.count else { break }
      if least + 1 < entries.count, entries[least + 1].isBefore(entries[least]) { least += 1 }
      guard entries[least].isBefore(entry) else { break }
      entries[parent] = entries[least]
      parent = least
    }
    entries[parent] = entry
  }
}
