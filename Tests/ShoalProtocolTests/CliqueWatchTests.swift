// Which peers count themselves to one clique, from what each of them measures.

import ShoalProtocol
import Testing

@Suite struct CliqueWatchTests {
  /// Peers in houses: each measures all others, sees their names and looks once a second.
  private struct World {
    var houses: [Int]
    var watches: [CliqueWatch]
    let ids: [PeerID]
    var trips: (Int, Int) -> Duration
    /// Pairs that reach each other only through a third peer.
    var relayed: Set<[Int]> = []

    init(_ houses: [Int], trips: @escaping (Int, Int) -> Duration) {
      self.houses = houses
      self.trips = trips
      ids = houses.indices.map { PlacementFixture.peer($0) }
      watches = ids.map { CliqueWatch(own: $0) }
    }

    /// Names after so many seconds of looking; how many changes there were.
    mutating func pass(_ seconds: ClosedRange<Int>, samples: Int = 20) -> Int {
      var changes = 0
      for second in seconds {
        let names = watches.map(\.standing.name)
        for number in watches.indices {
          let links = watches.indices.filter { $0 != number }.map { other in
            CliqueWatch.Link(
              peer: ids[other], roundTrip: trips(number, other), samples: samples,
              clique: names[other], isDirect: !relayed.contains([number, other].sorted()))
          }
          if watches[number].handle(links, at: Moment(nanoseconds: Int64(second) * 1_000_000_000)) {
            changes += 1
          }
        }
      }
      return changes
    }

    var names: [String] { watches.map(\.standing.name) }
  }

  private static func houses(_ houses: [Int], far: Int = 30) -> World {
    World(houses) { houses[$0] == houses[$1] ? .milliseconds(1) : .milliseconds(far) }
  }

  /// Every order of the three ids.
  @Test(arguments: 0..<3) func `peers that need a third one are of different cliques, however near`(
    _ middle: Int
  ) {
    let ends = [0, 1, 2].filter { $0 != middle }
    var world = Self.houses([0, 0, 0])
    world.relayed = [ends]
    _ = world.pass(1...90)
    #expect(world.names[ends[0]] != world.names[ends[1]])
    #expect(ends.allSatisfy { !world.names[$0].isEmpty })
    let before = world.names
    #expect(world.pass(91...200) == 0)
    #expect(world.names == before)
  }

  @Test func `on one network nobody says anything`() {
    var world = Self.houses([0, 0, 0, 0])
    #expect(world.pass(1...60) == 0)
    #expect(world.names == ["", "", "", ""])
  }

  @Test func `peers of each house come to one name, and say how far the other is`() {
    var world = Self.houses([0, 1, 0, 1, 1])
    _ = world.pass(1...60)
    let names = world.names
    #expect(names[0] == names[2] && names[1] == names[3] && names[3] == names[4])
    #expect(names[0] != names[1] && !names[0].isEmpty)
    for watch in world.watches {
      #expect((14_000...15_000).contains(watch.standing.outsideMicroseconds))
    }
    #expect(world.pass(61...600) == 0, "what is settled stays")
  }

  @Test func `a few slow answers are no distance`() {
    var world = Self.houses([0, 1])
    #expect(world.pass(1...60, samples: 3) == 0)
  }

  @Test func `a line that swings does not move a record before it has stayed`() {
    var world = Self.houses([0, 0, 1])
    _ = world.pass(1...60)
    let before = world.names
    let houses = world.houses
    world.trips = { houses[$0] == houses[$1] ? .milliseconds(8) : .milliseconds(30) }
    #expect(world.pass(61...90) == 0, "still near")
    world.trips = { houses[$0] == houses[$1] ? .milliseconds(40) : .milliseconds(30) }
    #expect(world.pass(91...98) == 0, "not for long enough")
    #expect(world.names == before)
    world.trips = { _, _ in .milliseconds(1) }
    _ = world.pass(99...160)
    #expect(world.names == ["", "", ""], "nobody is far any more")
  }
}
