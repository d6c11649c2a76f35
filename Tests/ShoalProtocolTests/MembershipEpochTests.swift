// When a view becomes an epoch.
import ShoalProtocol
import Testing

@Suite struct MembershipEpochTests {
  private let views = (1...4).map { count in
    testView((0..<count).map { CapabilityRecord.plain($0) })
  }

  /// Milliseconds of changes; when the epoch comes, by the tracker's own deadlines.
  @Test(arguments: [
    ([0], 200), ([0, 100], 300), ([0, 199, 398], 598),
    ([0, 150, 300, 450, 600, 750, 900, 999], 1_000),
  ])
  func `an epoch comes after quiet, or a second after the first change`(changes: [Int], due: Int) {
    var tracker = EpochTracker()
    for change in changes {
      #expect(tracker.handle(.changed, at: .milliseconds(change), view: { views[0] }) == [])
    }
    #expect(tracker.nextDeadline == .milliseconds(due))
    #expect(tracker.handle(.deadline, at: .milliseconds(due - 1), view: { views[0] }) == [])
    #expect(
      tracker.handle(.deadline, at: .milliseconds(due), view: { views[0] }) == [.epoch(views[0])])
    #expect(tracker.nextDeadline == nil)
    #expect(tracker.standing == views[0])
  }

  @Test func `a view that came back is no epoch, and is looked at once`() {
    var tracker = EpochTracker()
    var looks = 0
    for (change, due) in [(0, 200), (1_000, 1_200)] {
      _ = tracker.handle(.changed, at: .milliseconds(change), view: { views[1] })
      _ = tracker.handle(.changed, at: .milliseconds(change), view: { views[1] })
      let effects = tracker.handle(.deadline, at: .milliseconds(due)) {
        looks += 1
        return views[1]
      }
      #expect(effects == (change == 0 ? [.epoch(views[1])] : []))
    }
    #expect(looks == 2)
  }

  @Test func `a change that comes late finds the epoch due, with itself in it`() {
    var tracker = EpochTracker()
    _ = tracker.handle(.changed, at: .milliseconds(0), view: { views[0] })
    #expect(
      tracker.handle(.changed, at: .milliseconds(500), view: { views[2] }) == [.epoch(views[2])])
    #expect(tracker.nextDeadline == nil)
  }
}
