// Which tokens may come next, so that an answer keeps to a grammar.

/// A set of tokens.
public struct TokenMask: Sendable {
  private var words: [UInt64]

  init(count: Int) { words = [UInt64](repeating: 0, count: (count + 63) / 64) }

  mutating func insert(_ token: Int) { words[token >> 6] |= 1 << UInt64(token & 63) }

  public func contains(_ token: Int) -> Bool {
    token >> 6 < words.count && words[token >> 6] >> UInt64(token & 63) & 1 == 1
  }

  /// Sets the logits of all others to -infinity, which is a masked token's.
  public func apply(to logits: inout [Float]) {
    for token in logits.indices where !contains(token) { logits[token] = -.infinity }
  }
}

/// Follows one answer by a grammar.
public struct TokenConstraint: Sendable {
  private let vocabulary: SortedVocabulary
  private let ends: [Int]
  private var machine: GrammarMachine
  private var state: GrammarMachine.State
  /// Of states that have been: inside a string it is always the same one.
  private var masks: [GrammarMachine.State: TokenMask] = [:]

  /// Masks that are remembered: a vocabulary's size in bits each.
  private static let maskLimit = 256

  /// Nil where `format` asks for nothing.
  public init?(
    _ format: AnswerFormat, _ tokenizer: Tokenizer, vocabulary: SortedVocabulary
  ) throws(SchemaError) {
    guard let grammar = try format.grammar() else { return nil }
    self.vocabulary = vocabulary
    ends = tokenizer.definition.endOfGeneration.map { Int($0) }
    machine = GrammarMachine(grammar)
    state = machine.start()
    guard state != GrammarMachine.dead else { throw .nothing }
  }

  /// Whether the answer is whole and nothing can follow.
  public var isComplete: Bool {
    state != GrammarMachine.dead && machine.accepts(state) && !machine.mayGoOn(state)
  }

  /// The tokens that may come next, those that end a text among them where it may end.
  public mutating func mask() -> TokenMask {
    guard state != GrammarMachine.dead else { return TokenMask(count: vocabulary.count) }
    if let known = masks[state] { return known }
    if machine.isFull || masks.count >= Self.maskLimit {
      masks = [:]
      state = machine.forget(allBut: state)
    }
    let mask = freshMask()
    masks[state] = mask
    return mask
  }

  /// Takes in the token that was chosen.
  public mutating func take(_ bytes: [UInt8]) {
    for byte in bytes where state != GrammarMachine.dead { state = machine.step(state, byte) }
  }

  /// Walks the sorted vocabulary: of each token only the bytes that the last one did not have.
  private mutating func freshMask() -> TokenMask {
    var mask = TokenMask(count: vocabulary.count)
    if machine.accepts(state) { for end in ends { mask.insert(end) } }
    // path[n]: after n bytes of the token that was walked last.
    var path = [state]
    // A beginning of so many bytes is refused, and with it all tokens that begin so.
    var refused = Int.max
    for index in vocabulary.tokens.indices {
      let common = vocabulary.shared[index]
      if refused <= common { continue }
      refused = .max
      let known = min(common, path.count - 1)
      path.removeLast(path.count - 1 - known)
      for byte in vocabulary.bytes(at: index).dropFirst(known) {
        let next = machine.step(path[path.count - 1], byte)
        guard next != GrammarMachine.dead else {
          refused = path.count
          break
        }
        path.append(next)
      }
      if refused == .max { mask.insert(Int(vocabulary.tokens[index])) }
    }
    return mask
  }
}
