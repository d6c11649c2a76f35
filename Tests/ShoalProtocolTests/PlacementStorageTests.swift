// Where atoms lie, and what the loss of peers costs.

import ShoalProtocol
import Testing

@Suite struct PlacementStorageTests {
  typealias Fixture = PlacementFixture

  static func peers(
    _ count: Int, bytes: UInt64, domain: (Int) -> Int = { $0 }
  ) -> [StorageCapacity] {
    (0..<count).map {
      StorageCapacity(
        peer: Fixture.peer($0), bytes: ByteCount(bytes), failureDomain: UInt64(domain($0)))
    }
  }

  static func sizes(_ count: Int) -> [UInt64] {
    var random = PlacementRandom(state: 3)
    return (0..<count).map { _ in UInt64.random(in: 1...1_000, using: &random) }
  }

  @Test("with two or three peers, uneven ones too, any one death leaves a copy of every atom")
  func oneDeath() throws {
    let sizes = Self.sizes(200)
    let total = sizes.reduce(0, +)
    let worlds: [[UInt64]] = [
      [total, total], [total, 10 * total], [total, total, total], [5 * total, total, 2 * total],
      [total, total * 3 / 4, total * 3 / 4],
    ]
    for world in worlds {
      let capacities = world.enumerated().map {
        StorageCapacity(
          peer: Fixture.peer($0.offset), bytes: ByteCount($0.element),
          failureDomain: UInt64($0.offset))
      }
      let plan = try StoragePlan(model: Fixture.model, sizes: sizes, over: capacities)
      #expect(plan.short.isEmpty)
      for dead in capacities.indices {
        let kept = plan.holders.allSatisfy { $0.contains { $0 != dead } }
        #expect(kept, "\(world) without \(dead)")
      }
    }
  }

  @Test("one peer holds one copy of everything, and says that it is short")
  func alone() throws {
    let sizes = Self.sizes(50)
    let plan = try StoragePlan(
      model: Fixture.model, sizes: sizes, over: Self.peers(1, bytes: 1_000_000))
    #expect(plan.atoms == [Array(0..<50)])
    #expect(plan.short == Array(0..<50))
  }

  @Test(
    "copies lie at different peers in different domains, within capacity, in any input order",
    arguments: [3, 5, 7, 20, 60])
  func properties(count: Int) throws {
    var random = PlacementRandom(state: UInt64(count))
    let sizes = Self.sizes(400)
    let room = sizes.reduce(0, +) * 6 / UInt64(count) + 2_000
    let capacities = Self.peers(count, bytes: room) { $0 % max(2, count / 2) }
    let plan = try StoragePlan(model: Fixture.model, sizes: sizes, over: capacities)
    let shuffled = capacities.shuffled(using: &random)
    #expect(try StoragePlan(model: Fixture.model, sizes: sizes, over: shuffled) == plan)
    #expect(plan.short.isEmpty)
    for holders in plan.holders {
      #expect(Set(holders.map { capacities[$0].failureDomain }).count == 2)
    }
    for (place, atoms) in plan.atoms.enumerated() {
      let held = atoms.reduce(0) { $0 + sizes[$1] }
      #expect(held <= capacities[place].bytes.bytes)
      #expect(held > 0)
    }
  }

  @Test("scatter is limited: few pairs of peers share an atom")
  func scatter() throws {
    let sizes = Self.sizes(4_000)
    let capacities = Self.peers(100, bytes: sizes.reduce(0, +))
    let plan = try StoragePlan(model: Fixture.model, sizes: sizes, over: capacities)
    let pairs = Set(plan.holders.map { $0.sorted() })
    // Random scatter would make nearly all of the 4,950 pairs.
    #expect(pairs.count <= 100 * StoragePlan.buddies)
    #expect(pairs.count > 100)
  }

  @Test("a death moves few of the first copies that survive")
  func stability() throws {
    let sizes = Self.sizes(2_000)
    let capacities = Self.peers(20, bytes: sizes.reduce(0, +))
    let before = try StoragePlan(model: Fixture.model, sizes: sizes, over: capacities)
    let after = try StoragePlan(
      model: Fixture.model, sizes: sizes, over: Array(capacities.dropLast()))
    let survivors = before.holders.indices.filter { before.holders[$0][0] != 19 }
    let moved = survivors.count { before.holders[$0][0] != after.holders[$0][0] }
    print("first copies moved after a death among 20: \(moved) of \(survivors.count)")
    #expect(moved * 10 < survivors.count)
  }

  @Test("a join and a leave move at most twice the ideal", arguments: [4, 10, 20, 60])
  func movement(count: Int) throws {
    var random = PlacementRandom(state: UInt64(count))
    let sizes = Self.sizes(2_000)
    let total = sizes.reduce(0, +)
    let capacities = (0..<count).map {
      StorageCapacity(
        peer: Fixture.peer($0),
        bytes: ByteCount(UInt64.random(in: total / 4...total, using: &random) << 20),
        failureDomain: UInt64($0 / 2))
    }
    let whole = try StoragePlan(model: Fixture.model, sizes: sizes, over: capacities)
    var (moved, ideal) = (UInt64(0), UInt64(0))
    for gone in capacities.indices.prefix(20) {
      var fewer = capacities
      fewer.remove(at: gone)
      let less = try StoragePlan(model: Fixture.model, sizes: sizes, over: fewer)
      for (atom, size) in sizes.enumerated() {
        let with = Set(whole.holders[atom].map { whole.peers[$0] })
        let without = Set(less.holders[atom].map { less.peers[$0] })
        // What moves when the peer comes; as much moves when it goes.
        moved += size * UInt64(with.subtracting(without).count)
        if with.contains(capacities[gone].peer) { ideal += size }
      }
    }
    print("\(count) peers: \(moved * 1_000 / ideal) / 1000 of the ideal")
    #expect(moved <= ideal * 2)
    #expect(moved >= ideal)
  }

  @Test("no room for one copy is an error with the numbers; room for one and a half is said")
  func room() throws {
    let sizes: [UInt64] = [100, 100, 100, 100]
    let error = StorageError.noRoom(
      atom: 3, size: ByteCount(UInt64(100)), needed: ByteCount(UInt64(400)),
      available: ByteCount(UInt64(398)))
    let thrown = #expect(throws: StorageError.self) {
      try StoragePlan(model: Fixture.model, sizes: sizes, over: Self.peers(2, bytes: 199))
    }
    guard case .noRoom(_, let size, let needed, let available)? = thrown,
      case .noRoom(_, let wantSize, let wantNeeded, let wantAvailable) = error
    else {
      Issue.record("unexpected \(String(describing: thrown))")
      return
    }
    #expect([size, needed, available] == [wantSize, wantNeeded, wantAvailable])
    let tight = try StoragePlan(
      model: Fixture.model, sizes: sizes, over: Self.peers(2, bytes: 300))
    #expect(tight.short.count == 2)
    #expect(throws: StorageError.peerTwice(Fixture.peer(0))) {
      try StoragePlan(
        model: Fixture.model, sizes: sizes,
        over: Self.peers(1, bytes: 1_000) + Self.peers(1, bytes: 1_000))
    }
    let huge = try StoragePlan(
      model: Fixture.model, sizes: [1, 2], over: Self.peers(3, bytes: .max))
    #expect(huge.short.isEmpty)
  }
}
