// A context-free grammar over bytes, as nodes that point at what follows them: the form that
// GrammarMachine runs.

struct Grammar: Sendable {
  enum Node: Sendable {
    case bytes(ByteSet, next: Int32)
    /// Goes through a rule, then on at `next`.
    case call(rule: Int, next: Int32)
    case choice([Int32])
    /// Of a rule.
    case end
  }

  private(set) var nodes: [Node] = [.end]
  /// Where each rule begins. The first is the whole text.
  private(set) var entries: [Int32] = []
  /// Of each node, whether any text leads from it to the end of its rule. Where none does, no way
  /// goes there: a model must not be led into a dead end.
  private(set) var isFruitful: [Bool] = []

  /// A schema asks for a string of 1,000 characters at most: each is a dozen nodes.
  static let nodeLimit = 1 << 17

  /// The end of every rule.
  static let end: Int32 = 0

  /// - Parameter rules: the first is the whole text.
  init(_ rules: [BytePattern]) throws(SchemaError) {
    for rule in rules { entries.append(try add(rule, before: Self.end)) }
    isFruitful = fruitful()
  }

  /// The least set: a rule that needs itself bears nothing.
  private func fruitful() -> [Bool] {
    var found = [Bool](repeating: false, count: nodes.count)
    var grows = true
    while grows {
      grows = false
      for index in nodes.indices where !found[index] {
        let bears =
          switch nodes[index] {
          case .end: true
          case .bytes(_, let next): found[Int(next)]
          case .call(let rule, let next): found[Int(entries[rule])] && found[Int(next)]
          case .choice(let parts): parts.contains { found[Int($0)] }
          }
        if bears { (found[index], grows) = (true, true) }
      }
    }
    return found
  }

  private mutating func add(_ node: Node) throws(SchemaError) -> Int32 {
    guard nodes.count < Self.nodeLimit else { throw .tooLarge(limit: Self.nodeLimit) }
    nodes.append(node)
    return Int32(nodes.count - 1)
  }

  /// Nodes for `pattern`, after which the text goes on at `next`. Returns the first of them.
  private mutating func add(
    _ pattern: BytePattern, before next: Int32
  ) throws(SchemaError) -> Int32 {
    switch pattern {
    case .bytes(let set):
      return try add(.bytes(set, next: next))
    case .literal(let bytes):
      var next = next
      for byte in bytes.reversed() { next = try add(.bytes(ByteSet([byte]), next: next)) }
      return next
    case .sequence(let parts):
      var next = next
      for part in parts.reversed() { next = try add(part, before: next) }
      return next
    case .choice(let parts):
      var entries: [Int32] = []
      for part in parts { entries.append(try add(part, before: next)) }
      return try add(.choice(entries))
    case .times(let part, let least, let most):
      return try add(part, least: least, most: most, before: next)
    case .rule(let rule):
      return try add(.call(rule: rule, next: next))
    }
  }

  private mutating func add(
    _ part: BytePattern, least: Int, most: Int?, before next: Int32
  ) throws(SchemaError) -> Int32 {
    var entry = next
    if let most {
      for _ in least..<max(least, most) {
        entry = try add(.choice([try add(part, before: entry), next]))
      }
    } else {
      entry = try add(.choice([]))
      nodes[Int(entry)] = .choice([try add(part, before: entry), next])
    }
    for _ in 0..<least { entry = try add(part, before: entry) }
    return entry
  }
}
