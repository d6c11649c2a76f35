// Who promised to keep what for whom, as it really was: beside `AtomKeeping`, from the answers
// alone.

internal import ShoalProtocol

struct PromiseBook {
  private struct Drop: Hashable {
    let dropper: Int
    let atom: Int
  }

  private var given: [Drop: Set<Int>] = [:]
  /// Until when holders are bound.
  private var bound: [Int: [Int: Moment]] = [:]
  /// What clocks of a story may be apart after a promise's life.
  private static let drift = Duration.seconds(1)

  /// `dropper` begins to ask.
  mutating func begin(_ dropper: Int, _ atoms: [Int]) {
    for atom in atoms { given[Drop(dropper: dropper, atom: atom)] = nil }
  }

  /// `holder`, which has these on its disk, promises to keep them.
  mutating func promise(_ atoms: [Int], by holder: Int, to dropper: Int, at now: Moment) {
    for atom in atoms {
      given[Drop(dropper: dropper, atom: atom), default: []].insert(holder)
      bound[holder, default: [:]][atom] = now + Limits.promiseLife
    }
  }

  /// A process that is gone is bound by nothing.
  mutating func forget(_ holder: Int) { bound[holder] = nil }

  /// Nil, or why `dropper` should not have dropped `atom` now.
  mutating func drop(_ atom: Int, by dropper: Int, copies: Int, at now: Moment) -> String? {
    let keepers = given.removeValue(forKey: Drop(dropper: dropper, atom: atom)) ?? []
    guard keepers.count >= copies else { return "\(keepers.count) promises" }
    if let until = bound[dropper]?[atom], now + Self.drift < until {
      return "a promise that has \((until - now).inSeconds) s to go"
    }
    return nil
  }
}
