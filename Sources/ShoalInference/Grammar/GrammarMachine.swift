// Reads a text by a grammar, byte by byte. All ways in which the text may be read are followed at
// once; a set of such ways is a state, and a step from a state that was made before is a look-up.

struct GrammarMachine: Sendable {
  /// A number of a state, as long as `forget` is not called.
  typealias State = Int32

  /// No text of the grammar begins so.
  static let dead: State = -1
  private static let unknown: State = -2

  /// Rules within rules: beyond, a way is given up. A JSON value takes two for each level.
  static let depthLimit = 128
  /// States that are remembered, 1 KiB each.
  static let stateLimit = 4_096

  /// Where a rule that is gone through came from; 0 is the whole text's.
  private struct Frame: Sendable, Hashable {
    let node: Int32
    let parent: Int32
    let depth: Int32
  }

  /// One way of reading: the node that takes the next byte, in which frame. `accepted` where the
  /// text may end.
  private struct Way: Sendable, Hashable, Comparable {
    let node: Int32
    let frame: Int32
    static let accepted = Way(node: -1, frame: 0)

    static func < (left: Way, right: Way) -> Bool {
      (left.node, left.frame) < (right.node, right.frame)
    }
  }

  private let grammar: Grammar
  private var frames: [Frame] = []
  private var frameNumbers: [Frame: Int32] = [:]
  private var states: [[Way]] = []
  private var stateNumbers: [[Way]: State] = [:]
  /// (states, 256)
  private var steps: [State] = []

  init(_ grammar: Grammar) {
    self.grammar = grammar
    clear()
  }

  private mutating func clear() {
    frames = [Frame(node: Grammar.end, parent: 0, depth: 0)]
    (frameNumbers, states, stateNumbers, steps) = ([:], [], [:], [])
  }

  /// Before the first byte. `dead` where the grammar allows no text at all.
  mutating func start() -> State {
    var ways: Set<Way> = []
    var seen: Set<Way> = []
    open(grammar.entries[0], 0, &ways, &seen)
    return number(of: ways)
  }

  /// After one more byte.
  mutating func step(_ state: State, _ byte: UInt8) -> State {
    let index = Int(state) << 8 | Int(byte)
    if steps[index] != Self.unknown { return steps[index] }
    var ways: Set<Way> = []
    var seen: Set<Way> = []
    for way in states[Int(state)] where way.node >= 0 {
      guard case .bytes(let set, let next) = grammar.nodes[Int(way.node)] else { continue }
      if set.contains(byte) { open(next, way.frame, &ways, &seen) }
    }
    let next = number(of: ways)
    steps[index] = next
    return next
  }

  /// Whether the text may end here.
  func accepts(_ state: State) -> Bool { states[Int(state)].first == .accepted }

  /// Whether it may go on.
  func mayGoOn(_ state: State) -> Bool { states[Int(state)].last != .accepted }

  /// Whether so many states are known that `forget` is due.
  var isFull: Bool { states.count >= Self.stateLimit }

  /// Forgets all states but one, and gives that its new number.
  mutating func forget(allBut state: State) -> State {
    let kept = states[Int(state)].map { way -> (Int32, [Int32]) in
      var returns: [Int32] = []
      var frame = way.frame
      while frame != 0 {
        returns.append(frames[Int(frame)].node)
        frame = frames[Int(frame)].parent
      }
      return (way.node, returns.reversed())
    }
    clear()
    var ways: Set<Way> = []
    for (node, returns) in kept {
      let frame = returns.reduce(Int32(0)) { push($1, onto: $0) ?? $0 }
      ways.insert(Way(node: node, frame: frame))
    }
    return number(of: ways)
  }

  private mutating func number(of ways: Set<Way>) -> State {
    if ways.isEmpty { return Self.dead }
    let sorted = ways.sorted()
    if let known = stateNumbers[sorted] { return known }
    let state = State(states.count)
    states.append(sorted)
    stateNumbers[sorted] = state
    steps.append(contentsOf: repeatElement(Self.unknown, count: 256))
    return state
  }

  private mutating func push(_ node: Int32, onto parent: Int32) -> Int32? {
    // A rule at the end of a rule returns where that one would.
    if node == Grammar.end { return parent }
    let depth = frames[Int(parent)].depth + 1
    guard depth <= Self.depthLimit else { return nil }
    let frame = Frame(node: node, parent: parent, depth: depth)
    if let known = frameNumbers[frame] { return known }
    let number = Int32(frames.count)
    frames.append(frame)
    frameNumbers[frame] = number
    return number
  }

  /// Adds the ways that begin at a node without taking a byte.
  private mutating func open(
    _ node: Int32, _ frame: Int32, _ ways: inout Set<Way>, _ seen: inout Set<Way>
  ) {
    let way = Way(node: node, frame: frame)
    guard grammar.isFruitful[Int(node)] else { return }
    guard seen.insert(way).inserted else { return }
    switch grammar.nodes[Int(node)] {
    case .bytes:
      ways.insert(way)
    case .choice(let entries):
      for entry in entries { open(entry, frame, &ways, &seen) }
    case .call(let rule, let next):
      guard let inner = push(next, onto: frame) else { return }
      open(grammar.entries[rule], inner, &ways, &seen)
    case .end:
      guard frame != 0 else {
        ways.insert(.accepted)
        return
      }
      open(frames[Int(frame)].node, frames[Int(frame)].parent, &ways, &seen)
    }
  }
}
