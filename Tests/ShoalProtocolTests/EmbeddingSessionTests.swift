// The entry of a job that makes vectors: which texts go together, and whom it believes.

import ShoalProtocol
import Testing

@Suite struct EmbeddingSessionTests {
  private static let pooling = PoolingOptions(.mean, isNormalised: true)
  private static let members = (1...3).map { PeerID(SessionNames.bytes(UInt8($0))) }

  /// Texts of those lengths, 512 positions a step, 64 to a chunk.
  private static func order(_ lengths: [Int]) -> EmbeddingOrder {
    EmbeddingOrder(
      texts: lengths.map { EncodedText([UInt32](repeating: 1, count: $0)) },
      pooling: pooling, budget: 512,
      positions: { ($0 + 63) / 64 * 64 })
  }

  private static func vectors(_ count: Int, _ value: Float = 1) -> [TextVector] {
    (0..<count).map { _ in TextVector(hash: .zero, values: [value]) }
  }

  @Test func `neighbours share a step while their positions fit, and a long text has its own`() {
    let order = Self.order([1, 64, 65, 300, 900, 2, 2])
    #expect(order.steps == [0..<3, 3..<4, 4..<5, 5..<7])
    #expect(order.batch == 900)
    #expect(order.context == 960)
  }

  @Test func `a step has no more texts than its message may`() {
    let order = EmbeddingOrder(
      texts: [EncodedText](repeating: [1], count: Limits.stepTexts + 1), pooling: Self.pooling,
      budget: 1 << 20, positions: { $0 })
    #expect(order.steps.map(\.count) == [Limits.stepTexts, 1])
  }

  @Test func `a term goes on behind the steps that the last one finished`() throws {
    let order = Self.order([500, 500, 500])
    var session = EmbeddingSession(order: order, term: Term(1), members: Self.members)
    let step = try #require(session.next())
    #expect(step.sequence == 0)
    for rank in 0..<3 {
      try session.take(Self.vectors(1), of: rank, sequence: 0, step: step)
    }
    try session.finishStep()
    #expect(session.next()?.sequence == 1)
    var next = EmbeddingSession(
      order: order, term: Term(2), members: Self.members, continuing: session.vectors)
    var steps = 0
    while let step = next.next() {
      #expect(step.sequence == UInt32(steps))
      try next.take(Self.vectors(1, 2), of: 0, sequence: step.sequence, step: step)
      try next.finishStep()
      steps += 1
    }
    #expect(steps == 2)
    #expect(next.vectors == Self.vectors(1) + Self.vectors(2, 2))
  }

  @Test func `a rank that says otherwise than others, or too little, is named`() throws {
    var session = EmbeddingSession(
      order: Self.order([5, 5]), term: Term(1), members: Self.members)
    let step = try #require(session.next())
    try session.take(Self.vectors(2), of: 0, sequence: 0, step: step)
    for (vectors, sequence) in [
      (Self.vectors(2, 3), UInt32(0)), (Self.vectors(1), 0), (Self.vectors(2), 1),
    ] {
      #expect(throws: JobFailure.self) {
        try session.take(vectors, of: 1, sequence: sequence, step: step)
      }
    }
    try session.take(Self.vectors(2), of: 1, sequence: 0, step: step)
  }

  @Test func `ranks before the last stage have no vectors, and somebody must have them`() throws {
    var session = EmbeddingSession(
      order: Self.order([5, 5]), term: Term(1), members: Self.members)
    let step = try #require(session.next())
    try session.take([], of: 0, sequence: 0, step: step)
    #expect(throws: JobFailure.self) { try session.finishStep() }
    try session.take(Self.vectors(2), of: 2, sequence: 0, step: step)
    try session.finishStep()
    #expect(session.vectors == Self.vectors(2))
  }

  @Test func `a rank takes texts in their order, within what it prepared for`() throws {
    let entry = PeerID(SessionNames.bytes(9))
    var rank = RankSession(
      job: JobID(.zero), plan: PlanID(.zero), term: Term(1), positions: 128, batch: 70)
    let step = { (sequence: UInt32, texts: [EncodedText], term: UInt32) in
      EmbeddingStep(
        term: Term(term), sequence: sequence, pooling: Self.pooling, texts: texts)
    }
    let before = rank.binding
    let good = step(0, [[1, 2], [3]], 1)
    let refused: [(step: EmbeddingStep, positions: Int)] = [
      (step(1, [[1]], 1), 64), (step(0, [[1]], 2), 64), (step(0, [[]], 1), 64),
      (step(0, [], 1), 64), (step(0, [[99]], 1), 64), (good, 192),
      (step(0, [EncodedText([UInt32](repeating: 1, count: 71))], 1), 128),
      (step(0, [EncodedText([1, 2], types: [0, 2])], 1), 64),
      (step(0, [EncodedText([1, 2], types: [1])], 1), 64),
    ]
    for (bad, positions) in refused {
      #expect(throws: JobFailure.self) {
        try rank.accept(
          bad, positions: positions, vocabulary: 10, tokenTypes: 2, from: entry)
      }
    }
    #expect(rank.binding == before)
    try rank.accept(good, positions: 128, vocabulary: 10, tokenTypes: 2, from: entry)
    #expect(rank.binding != before)
    #expect(rank.sequence == 1)
  }
}
