// What a rank accepts, and what ties partial sums to a job, term, plan and all tokens so far.

import ShoalProtocol
import Testing

@Suite struct RankSessionTests {
  private static let entry = PeerID(SessionNames.bytes(7))

  private static func step(
    term: UInt32 = 2, sequence: UInt32 = 1, at position: Int = 2, _ tokens: [UInt32] = [5, 6]
  ) -> BatchStep {
    BatchStep(
      term: Term(term), sequence: sequence, spans: [span(0, at: position, tokens.count)],
      tokens: tokens)
  }

  private static func span(
    _ slot: Int, at position: Int, _ count: Int, context: Int = 8
  ) -> StepSpan {
    StepSpan(
      slot: slot, position: position, count: count, context: context, logits: .last,
      slices: false, candidates: 1)
  }

  /// Positions for two sequences of 8, batch 3, two tokens of one seen in one step.
  private static func session() throws -> RankSession {
    var session = RankSession(
      job: JobID(SessionNames.bytes(1)), plan: PlanID(SessionNames.bytes(2)), term: Term(2),
      positions: 16, batch: 3)
    try session.accept(step(sequence: 0, at: 0, [3, 4]), vocabulary: 10, from: entry)
    return session
  }

  @Test func `steps that follow each other are taken in`() throws {
    var session = try Self.session()
    try session.accept(Self.step(), vocabulary: 10, from: Self.entry)
    #expect(session.position(of: 0) == 4)
    #expect(session.sequence == 2)
    try session.accept(
      Self.step(sequence: 2, at: 4, [9, 9, 9]), vocabulary: 10, from: Self.entry)
    try session.accept(Self.step(sequence: 3, at: 7, [0]), vocabulary: 10, from: Self.entry)
    #expect(session.position(of: 0) == 8)
  }

  private static let refusals: [(BatchStep, JobFailure)] = [
    (step(term: 1), .staleTerm(mine: Term(2), yours: Term(1))),
    (step(term: 3), .staleTerm(mine: Term(2), yours: Term(3))),
    (step(sequence: 0), .protocolViolation(entry, .invalid(field: "step order"))),
    (step(sequence: 2), .protocolViolation(entry, .invalid(field: "step order"))),
    (step(at: 1), .protocolViolation(entry, .invalid(field: "step order"))),
    (step(at: 3), .protocolViolation(entry, .invalid(field: "step order"))),
    (step([]), .protocolViolation(entry, .tooLong(field: "step", limit: 3, announced: 0))),
    (
      step([1, 1, 1, 1]),
      .protocolViolation(entry, .tooLong(field: "step", limit: 3, announced: 4))
    ),
    (step([10]), .protocolViolation(entry, .invalid(field: "token"))),
    (step([.max]), .protocolViolation(entry, .invalid(field: "token"))),
  ]

  @Test(arguments: 0..<10) func `any other step is refused and changes nothing`(
    _ index: Int
  ) throws {
    let (step, failure) = Self.refusals[index]
    var session = try Self.session()
    let binding = session.binding
    #expect(throws: failure) {
      try session.accept(step, vocabulary: 10, from: Self.entry)
    }
    #expect(session.binding == binding)
    #expect(session.position(of: 0) == 2)
    #expect(session.reserved == 8)
    try session.accept(Self.step(), vocabulary: 10, from: Self.entry)
  }

  /// One that begins behind what another holds, in a step that may close some.
  private static func begins(
    _ slot: Int, at position: Int, behind source: Int, closed: [Int] = []
  ) -> BatchStep {
    BatchStep(
      term: Term(2), sequence: 1, closed: closed,
      spans: [
        StepSpan(
          slot: slot, position: position, source: source, count: 1, context: 8, logits: .last,
          slices: false, candidates: 1)
      ], tokens: [5])
  }

  @Test func `a sequence begins behind what another one holds, and with nothing else`() throws {
    var session = try Self.session()
    try session.accept(Self.begins(4, at: 2, behind: 0), vocabulary: 10, from: Self.entry)
    #expect(session.position(of: 4) == 3)
    #expect(session.reserved == 16)
    let refused = [
      Self.begins(4, at: 3, behind: 0), Self.begins(4, at: 0, behind: 0),
      Self.begins(4, at: 1, behind: 5), Self.begins(4, at: 1, behind: 64),
      Self.begins(0, at: 2, behind: 0), Self.begins(4, at: 2, behind: 0, closed: [0]),
      Self.begins(0, at: 2, behind: 0, closed: [0]),
    ]
    for step in refused {
      var session = try Self.session()
      let binding = session.binding
      #expect(throws: JobFailure.protocolViolation(Self.entry, .invalid(field: "source"))) {
        try session.accept(step, vocabulary: 10, from: Self.entry)
      }
      #expect(session.binding == binding)
      try session.accept(Self.step(), vocabulary: 10, from: Self.entry)
    }
  }

  @Test func `what a sequence begins with is bound`() throws {
    let bindings = try [0, 1].map { source in
      var session = RankSession(
        job: JobID(SessionNames.bytes(1)), plan: PlanID(SessionNames.bytes(2)), term: Term(2),
        positions: 24, batch: 4)
      let both = [Self.span(0, at: 0, 2), Self.span(1, at: 0, 2)]
      try session.accept(
        BatchStep(term: Term(2), sequence: 0, spans: both, tokens: [3, 4, 3, 4]),
        vocabulary: 10, from: Self.entry)
      try session.accept(
        Self.begins(2, at: 2, behind: source), vocabulary: 10, from: Self.entry)
      return session.binding
    }
    #expect(bindings[0] != bindings[1])
  }

  @Test func `sequences come and go, each at its own position`() throws {
    var session = try Self.session()
    let tell = { (sequence: UInt32, closed: [Int], spans: [StepSpan]) in
      let count = spans.reduce(0) { $0 + $1.count }
      try session.accept(
        BatchStep(
          term: Term(2), sequence: sequence, closed: closed, spans: spans,
          tokens: [UInt32](repeating: 1, count: count)), vocabulary: 10, from: Self.entry)
    }
    try tell(1, [], [Self.span(0, at: 2, 1), Self.span(5, at: 0, 2)])
    #expect(session.position(of: 5) == 2)
    #expect(session.reserved == 16)
    // A third does not fit, and takes the place of the first.
    #expect(
      throws: JobFailure.protocolViolation(
        Self.entry, .tooLong(field: "positions", limit: 16, announced: 17))
    ) { try tell(2, [], [Self.span(7, at: 0, 1, context: 1)]) }
    try tell(2, [0], [Self.span(0, at: 0, 1, context: 7), Self.span(5, at: 2, 1)])
    #expect(session.position(of: 0) == 1)
    #expect(session.reserved == 15)
    for (closed, spans) in [
      ([3], [Self.span(5, at: 3, 1)]), ([0, 0], [Self.span(5, at: 3, 1)]),
      ([99], [Self.span(5, at: 3, 1)]), ([], [Self.span(5, at: 3, 1), Self.span(0, at: 1, 1)]),
      ([], [Self.span(5, at: 3, 1), Self.span(5, at: 4, 1)]), ([5], [Self.span(5, at: 3, 1)]),
    ] as [([Int], [StepSpan])] {
      #expect(throws: JobFailure.protocolViolation(Self.entry, .invalid(field: "step order"))) {
        try tell(3, closed, spans)
      }
    }
    for span in [Self.span(64, at: 0, 1), Self.span(-1, at: 0, 1)] {
      #expect(throws: JobFailure.protocolViolation(Self.entry, .invalid(field: "span"))) {
        try tell(3, [], [span])
      }
    }
  }

  @Test func `a step beyond the reserved context is refused with its limit`() throws {
    var session = try Self.session()
    try session.accept(Self.step([1, 1, 1]), vocabulary: 10, from: Self.entry)
    try session.accept(Self.step(sequence: 2, at: 5, [1]), vocabulary: 10, from: Self.entry)
    #expect(throws: JobFailure.contextFull(limit: 8)) {
      try session.accept(
        Self.step(sequence: 3, at: 6, [1, 1, 1]), vocabulary: 10, from: Self.entry)
    }
  }
}

@Suite struct StepBindingTests {
  /// Job, term, plan, then the tokens of each step and where they begin.
  private static func binding(
    job: UInt8 = 1, term: UInt32 = 1, plan: UInt8 = 2, _ steps: [(Int, [UInt32])] = [(0, [5, 6])]
  ) -> UInt64 {
    var binding = StepBinding(
      job: JobID(SessionNames.bytes(job)), term: Term(term),
      plan: PlanID(SessionNames.bytes(plan)))
    for (position, tokens) in steps { binding.absorb(position: position, tokens: tokens) }
    return binding.value
  }

  @Test func `each input changes the binding, and equal inputs give one`() {
    let values = [
      Self.binding(), Self.binding(job: 2), Self.binding(term: 2), Self.binding(plan: 3),
      Self.binding(job: 2, plan: 1), Self.binding([]), Self.binding([(0, [6, 5])]),
      Self.binding([(1, [5, 6])]), Self.binding([(0, [5])]), Self.binding([(0, [5]), (1, [6])]),
      Self.binding([(0, [5, 6, 0])]), Self.binding([(0, [0, 5, 6])]),
    ]
    #expect(Set(values).count == values.count)
    #expect(Self.binding() == Self.binding())
  }
}
