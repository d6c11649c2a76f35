// A record follows what steps take, late and only where it lasts.

import ShoalProtocol
import Testing

@Suite struct ThroughputWatchTests {
  private static let kind = StepKind(
    model: ModelID(SessionNames.bytes(1)), units: 4, blocks: 8, vocabulary: 2)
  private static let smaller = StepKind(
    model: ModelID(SessionNames.bytes(1)), units: 2, blocks: 4, vocabulary: 1)

  /// Steps of 1 MB each 100 ms, from one second to another; each took so many milliseconds.
  private static func run(
    _ watch: inout ThroughputWatch, _ kind: StepKind = kind, seconds: Range<Int64>,
    milliseconds: Int64
  ) {
    for tenth in (seconds.lowerBound * 10)..<(seconds.upperBound * 10) {
      _ = watch.note(
        kind, bytes: 1_000_000, took: .milliseconds(milliseconds),
        at: Moment(nanoseconds: tenth * 100_000_000))
    }
  }

  @Test func `a peer that slows down is at half its rate after ten seconds, not before`() {
    var watch = ThroughputWatch()
    Self.run(&watch, seconds: 0..<20, milliseconds: 10)
    #expect(watch.perMille == ThroughputWatch.whole)
    Self.run(&watch, seconds: 20..<30, milliseconds: 20)
    #expect(watch.perMille == ThroughputWatch.whole)
    Self.run(&watch, seconds: 30..<36, milliseconds: 20)
    #expect((480...520).contains(watch.perMille))
  }

  @Test func `and gets it back when it is fast again`() {
    var watch = ThroughputWatch()
    Self.run(&watch, seconds: 0..<20, milliseconds: 10)
    Self.run(&watch, seconds: 20..<40, milliseconds: 20)
    Self.run(&watch, seconds: 40..<60, milliseconds: 10)
    #expect(watch.perMille == ThroughputWatch.whole)
  }

  @Test func `what lasts for some seconds moves nothing`() {
    var watch = ThroughputWatch()
    Self.run(&watch, seconds: 0..<20, milliseconds: 10)
    for start in stride(from: Int64(20), to: 80, by: 10) {
      Self.run(&watch, seconds: start..<start + 7, milliseconds: 30)
      Self.run(&watch, seconds: start + 7..<start + 10, milliseconds: 10)
    }
    #expect(watch.perMille == ThroughputWatch.whole)
  }

  @Test func `a tenth more or less moves nothing`() {
    var watch = ThroughputWatch()
    Self.run(&watch, seconds: 0..<20, milliseconds: 10)
    Self.run(&watch, seconds: 20..<60, milliseconds: 11)
    #expect(watch.perMille == ThroughputWatch.whole)
  }

  /// A smaller share wakes up as often for fewer bytes.
  @Test func `a smaller share that reads less per second is no slower device`() {
    var watch = ThroughputWatch()
    Self.run(&watch, seconds: 0..<20, milliseconds: 10)
    Self.run(&watch, Self.smaller, seconds: 20..<60, milliseconds: 25)
    #expect(watch.perMille == ThroughputWatch.whole)
  }

  @Test func `two jobs that take turns are both looked at`() {
    var watch = ThroughputWatch()
    for (seconds, milliseconds) in [(Int64(0)..<20, Int64(10)), (20..<40, 20)] {
      for tenth in (seconds.lowerBound * 10)..<(seconds.upperBound * 10) {
        for kind in [Self.kind, Self.smaller] {
          _ = watch.note(
            kind, bytes: 1_000_000, took: .milliseconds(milliseconds),
            at: Moment(nanoseconds: tenth * 100_000_000))
        }
      }
    }
    #expect((480...520).contains(watch.perMille))
  }

  @Test func `what was lost with one share is got back with another`() {
    var watch = ThroughputWatch()
    Self.run(&watch, seconds: 0..<20, milliseconds: 10)
    Self.run(&watch, seconds: 20..<40, milliseconds: 20)
    Self.run(&watch, Self.smaller, seconds: 40..<60, milliseconds: 30)
    #expect((480...520).contains(watch.perMille))
    Self.run(&watch, Self.smaller, seconds: 60..<80, milliseconds: 15)
    #expect(watch.perMille == ThroughputWatch.whole)
  }

  @Test func `a slow peer without work is taken at its word again, later each time`() throws {
    var watch = ThroughputWatch()
    Self.run(&watch, seconds: 0..<20, milliseconds: 10)
    Self.run(&watch, seconds: 20..<40, milliseconds: 20)
    let first = try #require(watch.nextDeadline)
    #expect((69...71).contains(first.nanoseconds / 1_000_000_000))
    let early = watch.look(at: Moment(nanoseconds: 60_000_000_000))
    #expect(!early)
    let late = watch.look(at: first)
    #expect(late)
    #expect(watch.perMille == ThroughputWatch.whole)
    #expect(watch.nextDeadline == nil)
    Self.run(&watch, seconds: 80..<100, milliseconds: 20)
    let second = try #require(watch.nextDeadline)
    #expect((159...161).contains(second.nanoseconds / 1_000_000_000))
  }

  @Test func `steps that take no time say nothing`() {
    var watch = ThroughputWatch()
    Self.run(&watch, seconds: 0..<60, milliseconds: 0)
    #expect(watch.perMille == ThroughputWatch.whole)
  }

  @Test func `a device at half its speed says half of each rate`() {
    let rates = WeightThroughput(f32: 1_000_000, f16: 2_000_000, q8: 4_000_000, q4: 8_000_000)
    let figures = ComputeFigures(
      cores: 4, matrixVector: rates, matrixMatrix: BucketedFigure(UInt64(1) << 40))
    let slow = figures.slowed(to: 500)
    #expect(slow.matrixVector.q8 == BucketedFigure(BucketedFigure(4_000_000).value / 2))
    #expect(slow.matrixMatrix == BucketedFigure(UInt64(1) << 39))
    #expect(figures.slowed(to: 1_000) == figures)
  }
}
