// The sequences that a rank holds, by the slots that its entry names them with.

/// Memory of a sequence that has ended serves the next one, within a bound on positions of all
/// together.
public struct SequencePool {
  private let pass: ForwardPass
  private let positions: Int
  private var open: [SequenceCache?]
  private var spare: [SequenceCache] = []

  /// - Parameters:
  ///   - slots: sequences at a time.
  ///   - positions: of all sequences together.
  public init(_ pass: ForwardPass, slots: Int, positions: Int) {
    self.pass = pass
    self.positions = positions
    open = Array(repeating: nil, count: slots)
  }

  public subscript(slot: Int) -> SequenceCache? { open[slot] }

  /// Begins a sequence of at most `context` positions in a free slot.
  public mutating func open(_ slot: Int, context: Int) {
    precondition(open[slot] == nil)
    let fitting = spare.indices.filter { spare[$0].capacity >= context }
      .min { spare[$0].capacity < spare[$1].capacity }
    if let fitting {
      let sequence = spare.remove(at: fitting)
      pass.renew(sequence, context: context)
      open[slot] = sequence
    } else {
      while !spare.isEmpty, held + context > positions { spare.removeLast() }
      open[slot] = pass.makeSequence(context: context)
    }
  }

  /// Makes a sequence that was just opened begin with what another one holds.
  ///
  /// - Returns: false where the two have nothing in common: one of them is not open, the model's
  ///   past is a state, or its angles depend on the context.
  public func copy(_ positions: Int, from source: Int, to slot: Int) -> Bool {
    guard let sequence = open[slot], let other = open[source] else { return false }
    return sequence.begin(with: positions, of: other)
  }

  public mutating func close(_ slot: Int) {
    guard let sequence = open[slot] else { return }
    open[slot] = nil
    spare.append(sequence)
  }

  /// Positions that memory is taken for.
  private var held: Int {
    spare.reduce(0) { $0 + $1.capacity } + open.reduce(0) { $0 + ($1?.capacity ?? 0) }
  }
}
