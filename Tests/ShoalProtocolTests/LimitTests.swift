// Each bound on what peers say to each other, reached: what is at it is taken, what is one above it is
// refused with both numbers, before anything is set aside for it.

import ShoalProtocol
import Testing

/// Bytes of a message in the making.
private func bytes(_ parts: [UInt8]...) -> [UInt8] { parts.flatMap(\.self) }
private func word(_ value: Int) -> [UInt8] { (0..<4).map { UInt8(value >> (8 * $0) & 255) } }
private func zeros(_ count: Int) -> [UInt8] { [UInt8](repeating: 0, count: count) }
private func tooLong(_ field: String, _ limit: Int) -> WireError {
  .tooLong(field: field, limit: limit, announced: limit + 1)
}

@Suite struct MessageLimitTests {
  /// A message that announces one more of something than there may be, and the refusal.
  private static let announcements: [(String, [UInt8], WireError)] = [
    (
      "tokens of a step", bytes([2], zeros(8), word(0), word(0), word(Limits.stepTokens + 1)),
      tooLong("tokens", Limits.stepTokens)
    ),
    (
      "slots of a lane", bytes([2], zeros(8), word(Limits.laneSlots + 1)),
      tooLong("closed slots", Limits.laneSlots)
    ),
    (
      "texts of a step", bytes([9], zeros(8), [1, 0], word(Limits.stepTexts + 1)),
      tooLong("texts", Limits.stepTexts)
    ),
    (
      "tokens of a text", bytes([9], zeros(8), [1, 0], word(1), word(Limits.textTokens + 1)),
      tooLong("tokens", Limits.textTokens)
    ),
    (
      "elements of a vector",
      bytes([10], zeros(36), word(1), zeros(32), word(Limits.vectorElements + 1)),
      tooLong("vector", Limits.vectorElements)
    ),
    (
      "tokens of a context", bytes([1], zeros(101), word(Limits.contextTokens + 1), zeros(8)),
      tooLong("context", Limits.contextTokens)
    ),
  ]

  @Test(arguments: announcements.indices)
  func `a job message that announces more than its limit is refused by its count`(_ index: Int) {
    let (_, bytes, error) = Self.announcements[index]
    #expect(throws: error) { try JobMessage(bytes: bytes) }
  }

  @Test func `the largest steps there may be come back as they went`() throws {
    let count = Limits.stepTokens
    let step = BatchStep(
      term: Term(1), sequence: 0, closed: Array(0..<Limits.laneSlots),
      spans: [
        StepSpan(
          slot: 0, position: 0, count: count, context: Limits.contextTokens, logits: .all,
          slices: false, candidates: Limits.candidates)
      ], tokens: [UInt32](repeating: 3, count: count))
    #expect(try JobMessage(bytes: JobMessage.step(step).bytes) == .step(step))
    let texts = EmbeddingStep(
      term: Term(1), sequence: 0, pooling: PoolingOptions(.mean, isNormalised: true),
      texts: [EncodedText([UInt32](repeating: 3, count: Limits.textTokens))]
        + [EncodedText](repeating: [1], count: Limits.stepTexts - 1))
    #expect(try JobMessage(bytes: JobMessage.embed(texts).bytes) == .embed(texts))
    let vector = TextVector(
      hash: .zero, values: [Float](repeating: 1, count: Limits.vectorElements))
    let answer = JobMessage.embedded(
      sequence: 0, [vector], cost: StepCost(compute: 0, wait: 0, exchange: 0, bytesSent: 0))
    #expect(try JobMessage(bytes: answer.bytes) == answer)
  }

  /// Step, texts and residual fit their frames at these limits.
  @Test func `a step of texts has a residual that its frames hold`() {
    #expect(Limits.textElements / Limits.textTokens > 0)
    #expect(Limits.textElements * 8 <= FrameType.partial.limit)
  }

  @Test func `a frame of each type has its longest payload`() {
    for (type, limit) in [
      (FrameType.relay, Limits.relayPieceBytes), (.end, 0), (.hello, 512),
    ] { #expect(type.limit == limit) }
  }
}

@Suite struct JobLimitTests {
  private static func record(
    options: Int = 0, prompt: Int = 1, context: Int = 8, batch: Int = 1, job: UInt8 = 1
  ) -> JobRecord {
    JobRecord(
      job: JobID(SessionNames.bytes(job)), model: ModelID(SessionNames.bytes(2)),
      objective: .spread,
      order: GenerationOrder(
        prompt: [UInt32](repeating: 1, count: prompt), maximumTokens: 1, context: context,
        batch: batch, candidates: 1),
      options: zeros(options))
  }

  @Test func `a witness is told of jobs as large as they may be, and of none that is larger`()
    throws
  {
    let largest = WitnessMessage.record(
      Self.record(
        options: Limits.jobOptionsBytes, prompt: Limits.contextTokens,
        context: Limits.contextTokens, batch: Limits.stepTokens))
    #expect(try WitnessMessage(bytes: largest.bytes) == largest)
    for (record, error) in [
      (
        Self.record(options: Limits.jobOptionsBytes + 1),
        tooLong("options", Limits.jobOptionsBytes)
      ),
      (Self.record(context: Limits.contextTokens + 1), tooLong("context", Limits.contextTokens)),
      (Self.record(batch: Limits.stepTokens + 1), tooLong("batch", Limits.stepTokens)),
    ] {
      #expect(throws: error) {
        try WitnessMessage(bytes: WitnessMessage.record(record).bytes)
      }
    }
  }

  @Test func `logs that grow make room for themselves, and a witness's bytes are never exceeded`()
    throws
  {
    // Sixteen of these records, at four bytes a token for prompt and log, are what there is.
    let prompt = Limits.witnessBytes / 16 / 8
    var log = WitnessLog()
    for number in UInt8(1)...20 {
      log.keep(
        Self.record(prompt: prompt, context: 4 * prompt, job: number),
        at: Moment(nanoseconds: Int64(number)))
    }
    #expect(log.count < 16)
    #expect(log.byteCount <= Limits.witnessBytes)
    let kept = log.count
    let last = JobID(SessionNames.bytes(20))
    let news = JobNews(
      term: Term(1), plan: PlanID(.zero), position: prompt,
      tokens: [UInt32](repeating: 7, count: 3 * prompt), digest: .zero)
    #expect(try log.extend(last, news, at: Moment(nanoseconds: 30)))
    #expect(log.byteCount <= Limits.witnessBytes)
    #expect(log.count < kept)
    #expect(log.record(of: last, at: Moment(nanoseconds: 31))?.log.count == 4 * prompt)
    #expect(log.nextDeadline.map { $0 - Moment(nanoseconds: 30) } ?? .zero <= Limits.witnessMemory)
  }

  @Test func `what is replayed comes in steps as long as a prompt's, and no longer`() {
    let order = GenerationOrder(
      prompt: [1], maximumTokens: 1, context: 4_096, batch: 16, candidates: 1)
    #expect(order.replaying([1, 2]).batch == 16)
    #expect(order.replaying([UInt32](repeating: 1, count: 4_000)).batch == Limits.replayTokens)
  }

  @Test func `a lost peer is asked again when it has been left out for so long`() {
    let (lost, other) = (PeerID(SessionNames.bytes(1)), PeerID(SessionNames.bytes(2)))
    for (wait, excluded) in [
      (Limits.jobExclusion - .nanoseconds(1), [lost, other]), (Limits.jobExclusion, [other]),
    ] {
      var job = GenerationJob()
      let start = Moment(nanoseconds: 0)
      _ = job.handle(.begin(suspected: []), at: start)
      _ = job.handle(.ended(TermEnd(.peerLost(lost), blamed: [lost])), at: start)
      _ = job.handle(.sampled, at: start)
      let effects = job.handle(
        .ended(TermEnd(.peerLost(other), blamed: [other])), at: start + wait)
      #expect(effects == [.suspect(other), .attempt(Term(3), excluding: excluded)])
    }
  }

  @Test func `rows of prompts keep streams waiting for about as long as a step may take`() {
    var budget = PromptBudget()
    for _ in 0..<50 { budget.note(rows: 100, took: Limits.laneStep * 4) }
    let rows = budget.rows(beside: 1, batch: Limits.laneRows)
    #expect((20...25).contains(rows))
    for _ in 0..<50 { budget.note(rows: 100, took: .microseconds(1)) }
    #expect(budget.rows(beside: 1, batch: Limits.laneRows) == Limits.laneRows - 1)
  }

  @Test func `promises older than a round move nothing`() {
    let blob = BlobID(SessionNames.bytes(7))
    for (age, mayGo) in [(Limits.dropRound - .nanoseconds(1), true), (Limits.dropRound, false)] {
      var keeping = AtomKeeping()
      let start = Moment(nanoseconds: 0)
      _ = keeping.beginDrop([blob], at: start)
      keeping.promised([blob], by: PeerID(SessionNames.bytes(1)))
      #expect(keeping.commitDrop(blob, copies: 1, at: start + age) == mayGo)
    }
    // A promise is over long after the drop that relied on it.
    #expect(Limits.promiseLife > Limits.dropRound)
  }
}

@Suite struct PlanLimitTests {
  /// Version, model, objective and precision of a plan; the rest follows.
  private static let head = bytes([1, 0], zeros(34))

  @Test func `a plan that announces more of anything than there may be is refused by its count`() {
    for (bytes, error) in [
      (
        bytes(Self.head, word(Limits.planContextTokens + 1)),
        tooLong("plan context", Limits.planContextTokens)
      ),
      (
        bytes(Self.head, word(1), word(Limits.planSlots + 1)),
        tooLong("plan attention slots", Limits.planSlots)
      ),
      (
        bytes(Self.head, word(1), word(1), word(1), word(1), word(Limits.planLayers + 1)),
        tooLong("plan stages", Limits.planLayers)
      ),
      (
        bytes(
          Self.head, word(1), word(1), word(1), word(1), word(1), word(0), word(1),
          word(Limits.peers + 1)),
        tooLong("plan ranks", Limits.peers)
      ),
    ] { #expect(throws: error) { try ShardPlan(decoding: bytes) } }
  }

  /// Layers that only peers alone can hold, each one of them.
  @Test func `a pipeline has as many stages as are tried, and one more peer is not enough`() throws
  {
    var figures = PlacementFixture.llama70B
    figures.layers = 3 * Limits.plannedStages
    let capacities = { (count: Int, memory: UInt64) in
      (0..<count).map { number in
        var capacity = PlacementFixture.capacity(number, memory: ByteCount(memory))
        capacity.clique = UInt64(number + 1)
        capacity.outsideNanoseconds = 10_000_000
        capacity.outsideBytesPerSecond = 5_000_000
        return capacity
      }
    }
    let planned = { (count: Int, memory: UInt64) in
      try PlacementPlanner().plan(
        try PlacementFixture.request(figures), over: capacities(count, memory)
      ).plan.stages.count
    }
    // The more memory each has, the fewer it takes; never more than the limit.
    let most = stride(from: UInt64(2) << 30, through: 8 << 30, by: 1 << 28).compactMap {
      try? planned(2 * Limits.plannedStages, $0)
    }
    #expect(try planned(4, 64 << 30) <= 4)
    #expect(most.max() ?? 0 > Limits.plannedStages / 2)
    #expect(most.allSatisfy { $0 <= Limits.plannedStages })
  }
}

@Suite struct ThroughputLimitTests {
  private static func kind(_ number: Int) -> StepKind {
    StepKind(model: ModelID(SessionNames.bytes(1)), units: number, blocks: 8, vocabulary: 2)
  }

  /// Steps of one kind each tenth of a second; each took so many milliseconds.
  private static func run(
    _ watch: inout ThroughputWatch, kind: Int = 1, from start: Moment, _ duration: Duration,
    milliseconds: Int64
  ) -> Moment {
    var now = start
    while now < start + duration {
      _ = watch.note(
        Self.kind(kind), bytes: 1_000_000, took: .milliseconds(milliseconds), at: now)
      now = now + .milliseconds(100)
    }
    return now
  }

  @Test func `less than the calm, or fewer windows than it takes, move nothing`() {
    var watch = ThroughputWatch()
    let calm = Self.run(
      &watch, from: Moment(nanoseconds: 0), Limits.throughputCalm * 2, milliseconds: 10)
    // One window each five seconds: long enough after the calm, but too few.
    var sparse = watch
    for number in 0..<Limits.throughputWindows - 1 {
      let begin = calm + .seconds(5 * Int64(number))
      _ = Self.run(
        &sparse, from: begin, Limits.throughputWindow + .milliseconds(100), milliseconds: 30)
    }
    #expect(sparse.perMille == ThroughputWatch.whole)
    var short = watch
    _ = Self.run(
      &short, from: calm, Limits.throughputCalm - Limits.throughputWindow, milliseconds: 30)
    #expect(short.perMille == ThroughputWatch.whole)
    _ = Self.run(
      &watch, from: calm, Limits.throughputCalm + Limits.throughputWindow * 4, milliseconds: 30)
    #expect((300...370).contains(watch.perMille))
  }

  @Test func `a pardon comes later each time, and at last as late as it may`() throws {
    var watch = ThroughputWatch()
    var now = Self.run(&watch, from: Moment(nanoseconds: 0), .seconds(20), milliseconds: 10)
    var waits: [Duration] = []
    for _ in 0..<8 {
      now = Self.run(&watch, from: now, .seconds(30), milliseconds: 20)
      let pardon = try #require(watch.nextDeadline)
      waits.append(pardon - (now + .milliseconds(-100)))
      let isPardoned = watch.look(at: pardon)
      #expect(isPardoned)
      now = pardon
    }
    #expect(waits.first == Limits.throughputPardon)
    #expect(waits.last == Limits.throughputLongestPardon)
    #expect(waits == waits.sorted())
  }

  @Test func `kinds beyond those that are remembered begin anew, and the peer is no slower for it`()
  {
    var watch = ThroughputWatch()
    var now = Moment(nanoseconds: 0)
    for kind in 0..<3 * Limits.throughputKinds {
      now = Self.run(&watch, kind: kind, from: now, .milliseconds(1_200), milliseconds: 10)
    }
    #expect(watch.perMille == ThroughputWatch.whole)
  }
}

@Suite struct PlaceLimitTests {
  private static func peer(_ number: Int) -> PeerID { PlacementFixture.peer(number) }

  @Test(arguments: [
    (Places.relays, Limits.relayedStreams, Limits.relayedStreamsOfOne),
    (.calls, Limits.answeredCalls, Limits.answeredCallsOfOne),
    (.connections, Limits.openStreams, Limits.streamsOfOnePeer),
  ])
  func `one peer has its share, all of them what there is, and what is given back is free`(
    _ empty: Places, _ limit: Int, _ share: Int
  ) {
    var places = empty
    let greedy = (0..<2 * share).count { _ in places.take(Self.peer(0)) }
    #expect(greedy == share)
    // The others have the rest.
    let rest = (share..<2 * limit).count { places.take(Self.peer($0)) }
    #expect(rest == limit - share)
    #expect(places.count == limit)
    let beyond = places.take(Self.peer(9_000))
    #expect(!beyond)
    places.give(Self.peer(0))
    // Nothing comes of giving back what was never taken.
    places.give(Self.peer(9_001))
    let freed = [9_000, 9_001].map { places.take(Self.peer($0)) }
    #expect(freed == [true, false])
  }

  @Test func `so many strangers wait at the door, and of one address so many`() throws {
    var room = WaitingRoom<Int>.strangers
    let loud = try #require(Endpoint("192.0.2.1:1"))
    for guest in 0..<Limits.unprovenStreamsOfOne { #expect(room.enter(guest, from: loud) == nil) }
    #expect(room.enter(-1, from: loud) == 0)
    for guest in 0..<Limits.unprovenStreams {
      let address = [198, 51, UInt8(guest / 256), UInt8(guest % 256)]
      _ = room.enter(1_000 + guest, from: try #require(Endpoint(address: address, port: 1)))
    }
    #expect(room.count == Limits.unprovenStreams)
  }
}

@Suite struct MemoryLimitTests {
  private static func job(_ number: Int) -> JobID { JobID(PlacementFixture.peer(number).raw) }

  @Test func `a rank remembers the terms of so many jobs, and forgets the oldest for the next`()
    throws
  {
    var terms = RankTerms()
    let count = Limits.rememberedTerms
    for number in 0..<count {
      try terms.admit(Self.job(number), Term(5), at: Moment(nanoseconds: Int64(number)))
    }
    let now = Moment(nanoseconds: Int64(count))
    for number in [0, count - 1] {
      #expect(throws: JobFailure.staleTerm(mine: Term(5), yours: Term(5))) {
        try terms.admit(Self.job(number), Term(5), at: now)
      }
    }
    try terms.admit(Self.job(count), Term(1), at: now)
    // The first has made room, the second has not.
    #expect(throws: JobFailure.staleTerm(mine: Term(5), yours: Term(4))) {
      try terms.admit(Self.job(1), Term(4), at: now)
    }
    try terms.admit(Self.job(0), Term(1), at: now)
    // And time makes all of them forgotten.
    try terms.admit(Self.job(2), Term(1), at: now + Limits.termMemory)
  }

  @Test func `a model has no more atoms than a plan of storage may have`() {
    let sizes = [UInt64](repeating: 1, count: Limits.storedAtoms + 1)
    let peers = [
      StorageCapacity(
        peer: PlacementFixture.peer(1), bytes: ByteCount(2 * UInt64(sizes.count)), failureDomain: 1)
    ]
    #expect(
      throws: StorageError.tooManyAtoms(limit: Limits.storedAtoms, announced: sizes.count)
    ) { try StoragePlan(model: PlacementFixture.model, sizes: sizes, over: peers) }
    let most = [UInt64](repeating: 1, count: Limits.storedAtoms)
    #expect(throws: Never.self) {
      try StoragePlan(model: PlacementFixture.model, sizes: most, over: peers)
    }
  }
}
