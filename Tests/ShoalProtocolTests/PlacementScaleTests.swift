// What a plan costs to make, and how little moves when peers come and go. Seconds are measured by
// Benchmarks/planning.sh.

import ShoalProtocol
import Testing

@Suite(.serialized) struct PlacementScaleTests {
  typealias Fixture = PlacementFixture

  static func mixed(_ count: Int) -> [DeviceCapacity] {
    let rates: [UInt64] = [6, 10, 18, 25, 36, 79, 571]
    return (0..<count).map { number in
      Fixture.capacity(
        number, gigabytesPerSecond: rates[number * 5 % 7],
        memory: .gibibytes(UInt64(2 + number % 11)))
    }
  }

  @Test(
    "a search tries formations in proportion to slots and peers, and finds one",
    arguments: [100, 300, 1_000])
  func trials(peers: Int) throws {
    let request = try Fixture.request(Fixture.llama70B)
    let ladder = try PrecisionLadder(request)
    let work = ladder.stored
    let capacities = Self.mixed(peers)
    let levels = PrecisionFall(ladder, capacities, request.objective).levels
    let entrants = try Entrants(request, ladder, capacities, levels: levels)
    let search = PlanSearch(request, work: work, candidates: entrants.candidates)
    let slots = SlotKind.allCases.map { work.kinds[$0].count }.max() ?? 0
    #expect(search.trials > min(peers, slots) / 2)
    #expect(search.trials <= min(peers, slots) + 2 * peers)
    #expect(search.best() != nil)
  }

  @Test("70B finds room for both copies over 1,000 peers, at few buddies of each")
  func storage() throws {
    let sizes = [UInt64](repeating: 3_000_000, count: 80 * 120 + 1_002)
    let capacities = (0..<1_000).map {
      StorageCapacity(
        peer: Fixture.peer($0), bytes: .mebibytes(200), failureDomain: UInt64($0 / 3))
    }
    let plan = try StoragePlan(model: Fixture.model, sizes: sizes, over: capacities)
    #expect(plan.short == [])
    let pairs = Set(plan.holders.map { Set($0) })
    #expect(pairs.count <= 1_000 * (StoragePlan.buddies + 2))
  }

  /// Owner of each feed-forward and vocabulary slot.
  private static func owners(_ plan: ShardPlan) -> [PeerID] {
    [SlotKind.feedForward, .vocabulary].flatMap { kind -> [PeerID] in
      var owners = [PeerID](repeating: PeerID(.zero), count: plan.slotCounts[kind])
      for rank in plan.stages[0].ranks {
        for slot in rank.slots[kind] { owners[slot] = rank.peer }
      }
      return owners
    }
  }

  /// The same counts, dealt as intervals in the order of peers.
  private static func intervals(_ plan: ShardPlan) -> [PeerID] {
    [SlotKind.feedForward, .vocabulary].flatMap { kind in
      plan.stages[0].ranks.flatMap {
        [PeerID](repeating: $0.peer, count: $0.slots[kind].count)
      }
    }
  }

  @Test("a join or a leave moves at most a third more than quotas demand")
  func moved() throws {
    let request = try Fixture.request(Fixture.llama70B, .spread)
    var (slots, least, rendezvous, interval) = (0, 0, 0, 0)
    for count in 3...12 {
      let all = Self.mixed(count).map { capacity in
        var roomy = capacity
        roomy.usableMemory = .gibibytes(128)
        return roomy
      }
      let whole = try PlacementPlanner().plan(request, over: all).plan
      for gone in 0..<count {
        let rest = all.enumerated().filter { $0.offset != gone }.map(\.element)
        let fewer = try PlacementPlanner().plan(request, over: rest).plan
        let (before, after) = (Self.owners(whole), Self.owners(fewer))
        slots += before.count
        // Nothing that stays within a shrinking or growing share need move; the rest must.
        for kind in [SlotKind.feedForward, .vocabulary] {
          for rank in fewer.stages[0].ranks {
            let old = whole.stages[0].ranks.first { $0.peer == rank.peer }
            least += max(0, rank.slots[kind].count - (old?.slots[kind].count ?? 0))
          }
        }
        rendezvous += zip(before, after).count { $0 != $1 }
        interval += zip(Self.intervals(whole), Self.intervals(fewer)).count { $0 != $1 }
      }
    }
    let perMille = [least, rendezvous, interval].map { $0 * 1_000 / slots }
    print("moved per mille: least \(perMille[0]), plan \(perMille[1]), intervals \(perMille[2])")
    #expect(rendezvous * 3 <= least * 4)
    #expect(rendezvous < interval)
  }
}
