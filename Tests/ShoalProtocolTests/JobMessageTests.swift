// Bytes on job and shard streams: every message comes back as it went, a few are pinned in hex,
// and what was mangled on the way is a typed error or another message, never a trap.

import ShoalProtocol
import Testing

@Suite struct JobMessageTests {
  private static func id<ID: Identifier>(_ number: UInt8) -> ID { ID(SessionNames.bytes(number)) }

  private static func signed(_ number: UInt8) -> SignedRecord? {
    SignedRecord(
      body: [number, 2, 3], author: id(number),
      signature: [UInt8](repeating: number, count: SignedRecord.signatureBytes))
  }

  static let step = BatchStep(
    term: Term(2), sequence: 7, closed: [9],
    spans: [
      StepSpan(
        slot: 3, position: 40, source: 5, count: 2, context: 64, logits: .last, slices: true,
        candidates: 40)
    ], tokens: [1, 403])

  static let failures: [JobFailure] =
    [
      .unknownModel(id(1)), .planDiffers(mine: id(1), yours: id(2)), .notInPlan,
      .recordRefused(id(3)), .noMemory(needed: 1 << 40, available: 3), .missingAtoms(count: 12),
      .damagedAtom(id(4)), .staleTerm(mine: Term(2), yours: Term(1)), .peerLost(id(5)),
      .deadline(id(6), milliseconds: 1_200),
      .protocolViolation(id(7), .invalid(field: "reported by a rank")), .numericRange(layer: 3),
      .contextFull(limit: 4_096), .busy(running: 2, limit: 1), .cancelled, .leaving,
      .diskFull(id(8), needed: 1 << 40, available: 7), .diskFailed(id(9), code: 5),
      .holdersSilent(atoms: 12, holders: 3), .modelRefused(id(10)), .unexplained(id(11)),
    ] + wireErrors.map { .protocolViolation(id(9), $0) }

  /// What a rank found wrong, which the entry is to hear in full.
  static let wireErrors: [WireError] = [
    .truncated(need: 4, have: 2), .trailing(bytes: 3),
    .tooLong(field: "step", limit: 64, announced: 65), .unknown(field: "objective", value: 9),
    .notUTF8(field: "name"), .invalid(field: "partial of another step"),
  ]

  static let messages: [JobMessage] =
    [
      .prepare(
        Prepare(
          job: id(1), term: Term(2), model: id(3), plan: id(4), objective: .spread,
          context: 512, positions: 1_024, batch: 64,
          view: [signed(5), signed(6)].compactMap(\.self),
          distrusted: [id(7)])),
      .connect, .step(step), .finish, .rest, .fetching(remaining: 5, total: 1 << 33),
      .ready(id(9), positions: 1_024),
      .result(
        sequence: 7,
        votes: [
          VocabularyVote(
            block: 3, row: 1, maximum: 2.5, exponentials: 1.25, hash: SessionNames.bytes(8),
            candidates: [TokenCandidate(token: 9, logit: 2.5)], slice: [2.5, -.infinity, 0]),
          VocabularyVote(
            block: 4, row: 1, maximum: -.infinity, exponentials: 0, hash: .zero, candidates: [],
            slice: []),
        ],
        cost: StepCost(compute: 1, wait: 2, exchange: 3, bytesSent: 1 << 40)),
    ] + texts + failures.map { .failed($0) }

  static let texts: [JobMessage] = [
    .embed(
      EmbeddingStep(
        term: Term(1), sequence: 3, pooling: PoolingOptions(.mean, isNormalised: true),
        texts: [EncodedText([1, 403], types: [0, 1]), [7]])),
    .embedded(
      sequence: 3,
      [
        TextVector(hash: SessionNames.bytes(8), values: [0.5, -1]),
        TextVector(hash: .zero, values: [2, 0]),
      ], cost: StepCost(compute: 1, wait: 2, exchange: 3, bytesSent: 4)),
  ]

  static let shards: [ShardMessage] = [
    .have([id(1), id(2)]), .have([]), .read(id(3), offset: 1 << 33, length: 4_096),
    .held([true, false, true]), .bytes(total: 7, [1, 2, 3]), .absent, .keep([id(4)]),
  ]

  static let hellos: [StreamHello] = [
    .shard, .job(id(1)), .partials(id(2), Term(3), rank: 65_535), .witness(id(4)),
    .called(1 << 63), .relay(to: id(5)), .relayed(from: id(6)),
  ]

  @Test(arguments: messages.indices) func `a job message comes back`(_ index: Int) throws {
    let message = Self.messages[index]
    #expect(try JobMessage(bytes: message.bytes) == message)
  }

  @Test func `a prepared view comes with its records`() throws {
    guard case .prepare(let prepare) = try JobMessage(bytes: Self.messages[0].bytes) else {
      Issue.record("no PREPARE")
      return
    }
    #expect(prepare.view.count == 2)
  }

  @Test(arguments: shards) func `a shard message comes back`(_ message: ShardMessage) throws {
    #expect(try ShardMessage(bytes: message.bytes) == message)
  }

  @Test(arguments: hellos) func `the first frame of a stream comes back`(
    _ hello: StreamHello
  ) throws {
    #expect(try StreamHello(bytes: hello.bytes) == hello)
    #expect(hello.bytes.count <= FrameType.hello.limit)
  }

  /// docs/PROTOCOL.md has the byte tables.
  @Test func `the bytes are these`() {
    let ones = String(repeating: "01", count: 32)
    let twos = String(repeating: "02", count: 32)
    for (bytes, hex) in [
      (JobMessage.finish.bytes, "03"), (JobMessage.connect.bytes, "08"),
      (JobMessage.rest.bytes, "0b"),
      (JobMessage.ready(Self.id(1), positions: 9).bytes, "05" + ones + "09000000"),
      (
        JobMessage.step(Self.step).bytes,
        "02" + "02000000" + "07000000" + "01000000" + "0900" + "01000000" + "0300" + "28000000"
          + "0500" + "02000000" + "40000000" + "01" + "01" + "2800" + "02000000" + "01000000"
          + "93010000"
      ),
      (JobMessage.fetching(remaining: 5, total: 9).bytes, "0405000000000000000900000000000000"),
      (JobMessage.failed(.numericRange(layer: 3)).bytes, "070c03000000"),
      (ShardMessage.have([Self.id(1)]).bytes, "0101000000" + ones),
      (
        ShardMessage.read(Self.id(2), offset: 4, length: 6).bytes,
        "02" + twos + "0400000000000000" + "06000000"
      ),
      (ShardMessage.held([true, false]).bytes, "03020000000100"),
      (ShardMessage.bytes(total: 7, [0xaa]).bytes, "04070000000000000001000000aa"),
      (ShardMessage.absent.bytes, "05"),
      (ShardMessage.keep([Self.id(1)]).bytes, "0601000000" + ones),
      (StreamHello.shard.bytes, "00"),
      (StreamHello.partials(Self.id(2), Term(3), rank: 4).bytes, "02" + twos + "030000000400"),
    ] { #expect(Hex.encode(bytes) == hex) }
  }

  @Test func `a message cut short or with bytes behind it is refused`() {
    for message in Self.messages {
      let bytes = message.bytes
      for length in 0..<bytes.count {
        #expect(throws: WireError.self) { try JobMessage(bytes: Array(bytes.prefix(length))) }
      }
      #expect(throws: WireError.trailing(bytes: 1)) { try JobMessage(bytes: bytes + [0]) }
    }
    for message in Self.shards {
      let bytes = message.bytes
      for length in 0..<bytes.count {
        #expect(throws: WireError.self) { try ShardMessage(bytes: Array(bytes.prefix(length))) }
      }
      #expect(throws: WireError.trailing(bytes: 1)) { try ShardMessage(bytes: bytes + [0]) }
    }
  }

  /// A field beyond its limit, each in its own message.
  @Test func `numbers beyond a limit are refused with the limit`() {
    let head = [UInt8](repeating: 0, count: 32 + 4 + 32 + 32)
    let prepare = { (context: [UInt8], batch: [UInt8]) in
      [1] + head + [0] + context + context + batch + [UInt8](repeating: 0, count: 8)
    }
    for (bytes, error) in [
      (
        prepare([1, 0, 0x10, 0], [1, 0, 0, 0]),
        WireError.tooLong(field: "context", limit: 1 << 20, announced: (1 << 20) + 1)
      ),
      (
        prepare([0, 0, 0, 0], [1, 0, 0, 0]),
        .tooLong(field: "context", limit: 1 << 20, announced: 0)
      ),
      (
        prepare([1, 0, 0, 0], [1, 0x20, 0, 0]),
        .tooLong(field: "batch", limit: 8_192, announced: 8_193)
      ),
      ([1] + head + [3], .unknown(field: "objective", value: 3)),
      ([12], .unknown(field: "job message", value: 12)),
      ([7, 99], .unknown(field: "failure", value: 99)),
    ] as [([UInt8], WireError)] {
      #expect(throws: error) { try JobMessage(bytes: bytes) }
    }
    #expect(
      throws: WireError.tooLong(
        field: "blobs", limit: ShardMessage.questionLimit, announced: 0x0100_0000)
    ) { try ShardMessage(bytes: [1, 0, 0, 0, 1]) }
    #expect(throws: WireError.unknown(field: "stream class", value: 7)) {
      try StreamHello(bytes: [7])
    }
  }

  @Test func `mangled messages are refused or are other messages`() {
    var random = SeededGenerator(11)
    var (refused, read) = (0, 0)
    for round in 0..<6_000 {
      let isJob = round % 3 != 0
      var bytes =
        isJob
        ? Self.messages[round % Self.messages.count].bytes
        : Self.shards[round % Self.shards.count].bytes
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        let index = Int.random(in: 0..<bytes.count, using: &random)
        bytes[index] ^= UInt8.random(in: 1...255, using: &random)
      }
      do {
        if isJob {
          _ = try JobMessage(bytes: bytes).bytes
        } else {
          _ = try ShardMessage(bytes: bytes).bytes
        }
        read += 1
      } catch {
        refused += 1
      }
    }
    #expect(refused > 500)
    #expect(read > 500)
  }
}
