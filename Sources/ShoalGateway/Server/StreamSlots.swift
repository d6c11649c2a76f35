// How many generations one gateway runs at a time.

import Synchronization

final class StreamSlots: Sendable {
  let limit: Int
  private let taken = Mutex(0)

  init(limit: Int) { self.limit = limit }

  var running: Int { taken.withLock { $0 } }

  /// A place that is free again when the last reference to it goes, however the request ends.
  func take() throws(RequestError) -> StreamSlot {
    let got = taken.withLock { taken in
      guard taken < limit else { return false }
      taken += 1
      return true
    }
    guard got else { throw .busy(running: running, limit: limit) }
    return StreamSlot(slots: self)
  }

  fileprivate func giveBack() { taken.withLock { $0 -= 1 } }
}

final class StreamSlot: Sendable {
  private let slots: StreamSlots
  fileprivate init(slots: StreamSlots) { self.slots = slots }
  deinit { slots.giveBack() }
}
