// What witnesses keep of a job: enough to go on with it, and not for ever.

import ShoalProtocol
import Testing

@Suite struct WitnessTests {
  private static func at(_ seconds: Int) -> Moment {
    Moment(nanoseconds: Int64(seconds) * 1_000_000_000)
  }
  private static let plan = PlanID(SessionNames.bytes(9))

  static func record(_ job: UInt8 = 1, tokens: [UInt32] = [], term: UInt32 = 1) -> JobRecord {
    var record = JobRecord(
      job: JobID(SessionNames.bytes(job)), model: ModelID(SessionNames.bytes(2)),
      objective: .spread,
      order: GenerationOrder(
        prompt: [5, 6, 7], maximumTokens: 8, context: 11, batch: 3, candidates: 4),
      options: [1, 2, 3])
    record.begin(Term(term), plan: plan)
    for token in tokens { record.append(token, digest: SessionNames.bytes(UInt8(token))) }
    return record
  }

  private static func news(_ position: Int, _ tokens: [UInt32], term: UInt32 = 1) -> JobNews {
    JobNews(
      term: Term(term), plan: plan, position: position, tokens: tokens,
      digest: SessionNames.bytes(UInt8(tokens.last ?? 0)))
  }

  @Test func `news in any pieces make the record of the driver`() throws {
    var random = SeededGenerator(5)
    for _ in 0..<500 {
      let tokens = (0..<8).map { _ in UInt32.random(in: 10...200, using: &random) }
      var driver = Self.record()
      var witness = driver
      var said = driver.log.count
      for (number, token) in tokens.enumerated() {
        driver.append(token, digest: SessionNames.bytes(UInt8(token)))
        if number == 4 { driver.begin(Term(2), plan: PlanID(SessionNames.bytes(8))) }
        guard Bool.random(using: &random) || number == 7 else { continue }
        // Some of it may have been said before.
        let from = max(3, said - Int.random(in: 0...2, using: &random))
        try witness.extend(driver.news(from: from))
        said = driver.log.count
      }
      #expect(witness == driver)
    }
  }

  private static let refusals: [(JobNews, WireError)] = [
    (news(4, [1]), .invalid(field: "position of news")),
    (news(2, [1]), .invalid(field: "position of news")),
    (
      news(3, Array(repeating: 1, count: 9)), .tooLong(field: "log", limit: 11, announced: 12)
    ),
  ]

  @Test(arguments: refusals.indices) func `news with a hole or beyond the context are refused`(
    _ index: Int
  ) {
    let (news, error) = Self.refusals[index]
    var record = Self.record()
    #expect(throws: error) { try record.extend(news) }
    #expect(record.log == [5, 6, 7])
  }

  @Test func `a log is kept for a minute after its last word, and then is gone`() throws {
    var log = WitnessLog()
    let record = Self.record(1, tokens: [40])
    log.keep(record, at: Self.at(0))
    #expect(log.record(of: record.job, at: Self.at(59)) == record)
    #expect(try log.extend(record.job, Self.news(4, [41]), at: Self.at(59)))
    #expect(log.record(of: record.job, at: Self.at(118))?.log == [5, 6, 7, 40, 41])
    #expect(log.nextDeadline == Self.at(119))
    #expect(log.record(of: record.job, at: Self.at(119)) == nil)
    #expect(log.count == 0)
    #expect(log.nextDeadline == nil)
    #expect(try !log.extend(record.job, Self.news(5, [42]), at: Self.at(119)))
  }

  @Test func `an old driver's log does not replace a later one`() {
    var log = WitnessLog()
    let (old, new) = (
      Self.record(1, tokens: [40, 41], term: 1), Self.record(1, tokens: [40], term: 2)
    )
    log.keep(new, at: Self.at(0))
    log.keep(old, at: Self.at(1))
    #expect(log.record(of: old.job, at: Self.at(1)) == new)
  }

  @Test func `those heard of longest ago make room`() {
    var log = WitnessLog()
    for number in 0..<Limits.witnessedJobs + 3 {
      var record = Self.record(UInt8(number % 256))
      if number >= 256 {
        record = JobRecord(
          job: JobID(SessionNames.bytes(UInt8(number - 256))), model: record.model,
          objective: .latency, order: record.order, options: [UInt8(number - 256)])
        record.begin(Term(7), plan: Self.plan)
      }
      log.keep(record, at: Self.at(number / 10))
    }
    #expect(log.count == Limits.witnessedJobs)
    // Again one that is known: it is replaced, and nobody has to go.
    #expect(log.record(of: JobID(SessionNames.bytes(0)), at: Self.at(30))?.term == Term(7))
  }

  @Test func `a witness message comes back, and a mangled one is refused or another`() throws {
    let messages: [WitnessMessage] = [
      .record(Self.record(3, tokens: [40, 41])), .news(Self.news(3, [40])), .news(Self.news(5, [])),
      .witnessing(api: Endpoint("127.0.0.1:7434")), .witnessing(api: Endpoint("[2001:db8::1]:9")),
      .witnessing(api: nil),
    ]
    var random = SeededGenerator(12)
    for message in messages {
      let bytes = message.bytes
      #expect(try WitnessMessage(bytes: bytes) == message)
      for length in 0..<bytes.count {
        #expect(throws: WireError.self) { try WitnessMessage(bytes: Array(bytes.prefix(length))) }
      }
      for _ in 0..<300 {
        var mangled = bytes
        mangled[Int.random(in: 0..<bytes.count, using: &random)] ^=
          UInt8.random(in: 1...255, using: &random)
        if let other = try? WitnessMessage(bytes: mangled) { #expect(other != message) }
      }
    }
    #expect(throws: WireError.unknown(field: "witness message", value: 4)) {
      try WitnessMessage(bytes: [4])
    }
  }
}
