// How many accepted connections may be open at once.

import Synchronization

/// Counts the connections that strangers opened.
final class ConnectionSlots: Sendable {
  private let free: Atomic<Int>

  init(_ limit: Int) { free = Atomic(limit) }

  /// Nil where none is left.
  func take() -> ConnectionSlot? {
    guard free.wrappingSubtract(1, ordering: .relaxed).newValue >= 0 else {
      give()
      return nil
    }
    return ConnectionSlot(self)
  }

  fileprivate func give() { free.wrappingAdd(1, ordering: .relaxed) }
}

/// One connection's place; free again when this object goes.
final class ConnectionSlot: Sendable {
  private let slots: ConnectionSlots
  fileprivate init(_ slots: ConnectionSlots) { self.slots = slots }
  deinit { slots.give() }
}
