// Records: one encoding, a bound on their size, figures that stand still, views named by a hash.
import ShoalProtocol
import Testing

@Suite struct MembershipRecordTests {
  @Test(
    arguments: [
      (0, 0), (7, 7), (15, 15), (16, 16), (17, 16), (18, 18), (100, 96), (103, 96), (104, 104),
      (1_000_000_000, 939_524_096), (UInt64.max, 15 << 60),
    ] as [(UInt64, UInt64)])
  func `a figure is rounded down to four leading bits`(measured: UInt64, stated: UInt64) {
    #expect(BucketedFigure(measured).value == stated)
  }

  @Test func `every bucket has one number, in order, and nothing else has one`() {
    let figures = (0..<496).compactMap { BucketedFigure(code: UInt16($0)) }
    #expect(figures.map { Int($0.code) } == Array(0..<496))
    #expect(zip(figures, figures.dropFirst()).allSatisfy { $0 < $1 })
    #expect(figures.allSatisfy { BucketedFigure($0.value) == $0 })
    #expect((496...UInt16.max).allSatisfy { BucketedFigure(code: $0) == nil })
  }

  @Test(arguments: [CapabilityRecord.plain(1), .fullest(2)])
  func `a record survives its bytes`(record: CapabilityRecord) throws {
    #expect(try CapabilityRecord(bytes: record.bytes) == record)
  }

  @Test func `the fullest record fits a datagram with its signature`() {
    let record = CapabilityRecord.fullest(1)
    #expect(record.bytes.count <= Limits.recordBytes)
    #expect(record.bytes.count > Limits.recordBytes - 60)
    let message = GossipMessage.records([TestSignature.sign(record)])
    #expect(message.bytes.count <= Limits.gossipBytes)
  }

  @Test func `no other bytes stand for a record: each is refused or another record`() {
    let record = CapabilityRecord.fullest(3)
    let bytes = record.bytes
    var refused = 0
    for position in bytes.indices {
      for bit in 0..<8 {
        var mangled = bytes
        mangled[position] ^= 1 << bit
        guard let other = try? CapabilityRecord(bytes: mangled) else {
          refused += 1
          continue
        }
        #expect(other != record)
        #expect(other.bytes == mangled)
      }
      #expect(throws: WireError.self) { try CapabilityRecord(bytes: Array(bytes[..<position])) }
    }
    #expect(refused > 100)
    #expect(throws: WireError.trailing(bytes: 1)) {
      try CapabilityRecord(bytes: bytes.dropLast(0) + [0])
    }
  }

  @Test func `a record that speaks of somebody else is refused`() throws {
    let record = CapabilityRecord.plain(1)
    let forged = try #require(
      SignedRecord(
        body: record.bytes, author: .numbered(2), signature: [UInt8](repeating: 0, count: 64)))
    #expect(throws: WireError.invalid(field: "author")) { try forged.record() }
    #expect(SignedRecord(body: [], author: .numbered(2), signature: [1]) == nil)
  }

  @Test func `a view is named by its records`() {
    let records = (0..<9).map { CapabilityRecord.plain($0) }
    let view = testView(records)
    #expect(testView(records) == view)
    #expect(testView(records.dropLast()) != view)
    #expect(view.count == 9)
    #expect(view.peers == view.peers.sorted())
    #expect(records.allSatisfy { view.record(of: $0.peer) == $0 })
    #expect(view.record(of: .numbered(77)) == nil)
    let newer = CapabilityRecord.plain(4, version: 2)
    let later = testView(records.filter { $0.peer != newer.peer } + [newer])
    #expect(later.record(of: newer.peer)?.version == 2)
    #expect(later.id != view.id)
  }
}

@Suite struct MembershipHysteresisTests {
  private let published = CapabilityRecord.plain(1)

  private func measured(_ link: UInt64) -> CapabilityRecord {
    var record = published
    record.linkBandwidth = BucketedFigure(link)
    return record
  }

  @Test func `noise inside a bucket never publishes`() {
    var hysteresis = RecordHysteresis(published: published)
    for second in 0..<60 {
      #expect(
        hysteresis.handle(measured(125_000_000 + UInt64(second)), at: .milliseconds(second * 1000))
          == nil)
    }
    #expect(hysteresis.nextDeadline == nil)
  }

  @Test func `another bucket is published after ten seconds without a break`() {
    var hysteresis = RecordHysteresis(published: published)
    #expect(hysteresis.handle(measured(60_000_000), at: .milliseconds(0)) == nil)
    #expect(hysteresis.nextDeadline == .milliseconds(10_000))
    #expect(hysteresis.handle(measured(61_000_000), at: .milliseconds(9_999)) == nil)
    #expect(
      hysteresis.handle(measured(60_000_000), at: .milliseconds(10_000)) == measured(60_000_000))
    #expect(hysteresis.nextDeadline == nil)
    #expect(hysteresis.handle(measured(60_000_000), at: .milliseconds(30_000)) == nil)
  }

  @Test func `a figure that swings over an edge never publishes`() {
    var hysteresis = RecordHysteresis(published: published)
    for second in 0..<60 {
      let link: UInt64 = second % 8 == 0 ? 125_000_000 : 60_000_000
      #expect(hysteresis.handle(measured(link), at: .milliseconds(second * 1000)) == nil)
    }
  }

  @Test func `what is stated counts at once and takes no new measurement along`() {
    var hysteresis = RecordHysteresis(published: published)
    var candidate = measured(60_000_000)
    candidate.services = [.storage]
    var expected = published
    expected.services = [.storage]
    #expect(hysteresis.handle(candidate, at: .milliseconds(0)) == expected)
    #expect(hysteresis.handle(candidate, at: .milliseconds(1)) == nil)
    #expect(hysteresis.handle(candidate, at: .milliseconds(10_000)) == candidate)
  }
}
