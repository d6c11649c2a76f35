// Watches a text as it grows for strings that end it, and holds back what may become one.

/// Lets text through up to the first stop string. What could be the beginning of one waits.
package struct StopStrings {
  private let stops: [String]
  private var pending = ""

  package init(_ stops: [String]) { self.stops = stops.filter { !$0.isEmpty } }

  /// What may be shown now, and whether the text has ended.
  package mutating func append(_ piece: String) -> (text: String, isEnd: Bool) {
    pending += piece
    if let end = firstStop() {
      defer { pending = "" }
      return (String(pending[..<end]), true)
    }
    let kept = longestBeginning()
    defer { pending = String(pending[kept...]) }
    return (String(pending[..<kept]), false)
  }

  /// What was held back when the text ended by itself.
  package mutating func finish() -> String {
    defer { pending = "" }
    return pending
  }

  private func firstStop() -> String.Index? {
    var index = pending.startIndex
    while index < pending.endIndex {
      if stops.contains(where: { pending[index...].hasPrefix($0) }) { return index }
      index = pending.index(after: index)
    }
    return nil
  }

  /// Where the longest suffix begins that a stop string begins with.
  private func longestBeginning() -> String.Index {
    var index = pending.startIndex
    while index < pending.endIndex {
      if stops.contains(where: { $0.hasPrefix(pending[index...]) }) { return index }
      index = pending.index(after: index)
    }
    return pending.endIndex
  }
}
