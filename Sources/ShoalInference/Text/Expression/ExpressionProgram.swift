// A regular expression as instructions for the matcher.

enum ExpressionInstruction: Sendable {
  /// One character of the set.
  case set(Int)
  /// As many characters of the set as there are, between the bounds; then fewer, one by one.
  case run(Int, least: Int, most: Int)
  /// The same, never giving any back.
  case possessiveRun(Int, least: Int, most: Int)
  /// Tries the first, later the second.
  case split(Int, Int)
  case jump(Int)
  case anchor(ExpressionAnchor)
  /// Runs what follows up to its `accept` from that many characters back, then goes to `end`.
  case look(back: Int, wanted: Bool, end: Int)
  /// Runs what follows up to its `accept` and keeps what it took; then goes to `end`.
  case atomic(end: Int)
  case accept
}

struct ExpressionProgram: Sendable {
  private(set) var instructions: [ExpressionInstruction] = []
  private(set) var sets: [CompiledSet] = []
  private var positions: [ScalarSet: Int] = [:]

  init(_ node: ExpressionNode) throws(ExpressionError) {
    try compile(node)
    try emit(.accept)
  }

  private mutating func emit(_ instruction: ExpressionInstruction) throws(ExpressionError) {
    guard instructions.count < ExpressionLimits.instructions else {
      throw .tooLarge(field: "instructions", limit: ExpressionLimits.instructions)
    }
    instructions.append(instruction)
  }

  private mutating func position(_ set: ScalarSet) -> Int {
    if let known = positions[set] { return known }
    positions[set] = sets.count
    sets.append(CompiledSet(set))
    return sets.count - 1
  }

  private mutating func compile(_ node: ExpressionNode) throws(ExpressionError) {
    switch node {
    case .empty: break
    case .set(let set): try emit(.set(position(set)))
    case .sequence(let parts): for part in parts { try compile(part) }
    case .alternation(let branches): try compile(alternation: branches)
    case .repeated(let node, let least, let most, let mode):
      try compile(node, least, most, mode)
    case .look(let node, let ahead, let wanted):
      guard let back = ahead ? 0 : node.length else {
        throw .unsupported("looking behind by no fixed length")
      }
      try enclose(node) { .look(back: back, wanted: wanted, end: $0) }
    case .atomic(let node): try enclose(node) { .atomic(end: $0) }
    case .anchor(let anchor): try emit(.anchor(anchor))
    }
  }

  private mutating func enclose(
    _ node: ExpressionNode, _ head: (Int) -> ExpressionInstruction
  ) throws(ExpressionError) {
    let start = instructions.count
    try emit(.accept)
    try compile(node)
    try emit(.accept)
    instructions[start] = head(instructions.count)
  }

  private mutating func compile(
    alternation branches: [ExpressionNode]
  ) throws(ExpressionError) {
    var jumps: [Int] = []
    for (index, branch) in branches.enumerated() {
      guard index < branches.count - 1 else {
        try compile(branch)
        continue
      }
      let split = instructions.count
      try emit(.accept)
      try compile(branch)
      jumps.append(instructions.count)
      try emit(.accept)
      instructions[split] = .split(split + 1, instructions.count)
    }
    for jump in jumps { instructions[jump] = .jump(instructions.count) }
  }

  private mutating func compile(
    _ node: ExpressionNode, _ least: Int, _ most: Int?, _ mode: RepeatMode
  ) throws(ExpressionError) {
    if case .set(let set) = node, mode != .lazy {
      let position = position(set)
      return try emit(
        mode == .possessive
          ? .possessiveRun(position, least: least, most: most ?? .max)
          : .run(position, least: least, most: most ?? .max))
    }
    if mode == .possessive {
      return try compile(.atomic(.repeated(node, least: least, most: most, .greedy)))
    }
    guard most != nil || !node.matchesEmpty else {
      throw .unsupported("repeating what can be empty")
    }
    for _ in 0..<least { try compile(node) }
    guard let most else {
      let split = instructions.count
      try emit(.accept)
      try compile(node)
      try emit(.jump(split))
      let (loop, end) = (split + 1, instructions.count)
      instructions[split] = mode == .lazy ? .split(end, loop) : .split(loop, end)
      return
    }
    var splits: [Int] = []
    for _ in least..<most {
      splits.append(instructions.count)
      try emit(.accept)
      try compile(node)
    }
    let end = instructions.count
    for split in splits {
      instructions[split] = mode == .lazy ? .split(end, split + 1) : .split(split + 1, end)
    }
  }
}

/// A set with its answer for ASCII kept.
struct CompiledSet: Sendable {
  private let set: ScalarSet
  private let low: UInt64
  private let high: UInt64

  init(_ set: ScalarSet) {
    self.set = set
    var bits: (UInt64, UInt64) = (0, 0)
    for scalar in UInt32(0)..<128 where set.contains(scalar, ScalarKind.of(scalar)) {
      if scalar < 64 { bits.0 |= 1 << UInt64(scalar) } else { bits.1 |= 1 << UInt64(scalar - 64) }
    }
    (low, high) = bits
  }

  @inline(__always)
  func contains(_ scalar: UInt32, _ kind: ScalarKind) -> Bool {
    if scalar < 64 { return low >> UInt64(scalar) & 1 != 0 }
    if scalar < 128 { return high >> UInt64(scalar - 64) & 1 != 0 }
    return set.contains(scalar, kind)
  }
}
