// Byte-pair merging by a queue of candidates: the most urgent pair of neighbours merges first, the
// leftmost of equals. O(n log n) in the symbols (Sennrich et al. 2016 gives the O(n^2) form).

/// A stretch of text that is one piece so far.
struct MergeSymbol {
  /// What the piece is, in the table's own numbering; -1 for nothing that the table knows.
  var id: Int32
  var start: Int
  /// Zero once merged into the left neighbour.
  var length: Int
  var previous: Int
  var next: Int
}

/// What two neighbours would become, and how urgently. Lower is earlier.
struct MergeCandidate {
  let priority: UInt32
  let id: Int32
}

/// Knows which neighbours merge.
protocol MergeTable {
  func candidate(_ left: MergeSymbol, _ right: MergeSymbol, in text: [UInt8]) -> MergeCandidate?
}

/// The working storage of one encoding, kept from word to word.
struct PairMerging {
  private(set) var symbols: [MergeSymbol] = []
  private var queue = MergeQueue()

  /// Starts a new word.
  mutating func clear() { symbols.removeAll(keepingCapacity: true) }

  /// Adds a symbol to the right of all others.
  mutating func append(id: Int32, _ range: Range<Int>) {
    let index = symbols.count
    if index > 0 { symbols[index - 1].next = index }
    symbols.append(
      MergeSymbol(
        id: id, start: range.lowerBound, length: range.count, previous: index - 1, next: -1))
  }

  /// Merges until no neighbours do. What is left are the symbols of non-zero length.
  mutating func merge(_ text: [UInt8], by table: some MergeTable) {
    guard symbols.count > 1 else { return }
    for left in 0..<symbols.count - 1 { propose(left, left + 1, text, table) }
    while let next = queue.pop() {
      let (left, right) = (symbols[next.left], symbols[next.right])
      // A neighbour has merged elsewhere since this pair was proposed.
      guard left.length > 0, right.length > 0, left.length + right.length == next.length else {
        continue
      }
      symbols[next.left].id = next.id
      symbols[next.left].length = next.length
      symbols[next.left].next = right.next
      symbols[next.right].length = 0
      if right.next >= 0 { symbols[right.next].previous = next.left }
      if left.previous >= 0 { propose(left.previous, next.left, text, table) }
      if right.next >= 0 { propose(next.left, right.next, text, table) }
    }
  }

  private mutating func propose(
    _ left: Int, _ right: Int, _ text: [UInt8], _ table: some MergeTable
  ) {
    guard let candidate = table.candidate(symbols[left], symbols[right], in: text) else { return }
    queue.push(
      MergeQueue.Entry(
        priority: candidate.priority, left: left, right: right, id: candidate.id,
        length: symbols[left].length + symbols[right].length))
  }
}

/// A binary heap of pairs, the most urgent and then the leftmost on top.
struct MergeQueue {
  struct Entry {
    let priority: UInt32
    let left: Int
    let right: Int
    let id: Int32
    /// Of both symbols when the pair was proposed.
    let length: Int

    func precedes(_ other: Entry) -> Bool {
      priority != other.priority ? priority < other.priority : left < other.left
    }
  }

  private var heap: [Entry] = []

  mutating func push(_ entry: Entry) {
    heap.append(entry)
    var child = heap.count - 1
    while child > 0 {
      let parent = (child - 1) / 2
      guard heap[child].precedes(heap[parent]) else { break }
      heap.swapAt(child, parent)
      child = parent
    }
  }

  mutating func pop() -> Entry? {
    guard let last = heap.popLast() else { return nil }
    guard let top = heap.first else { return last }
    heap[0] = last
    var parent = 0
    while true {
      var least = parent
      for child in 2 * parent + 1...2 * parent + 2 where child < heap.count {
        if heap[child].precedes(heap[least]) { least = child }
      }
      guard least != parent else { return top }
      heap.swapAt(parent, least)
      parent = least
    }
  }
}
