// Who hands what to whom between pipeline stages, and how long each waits for it.

import ShoalProtocol
import Testing

@Suite struct StageRouteTests {
  /// Sizes of stages, and columns of the hidden state.
  static let cases: [([Int], Int)] = [
    ([1], 64), ([1, 1], 64), ([2, 3], 8_192), ([3, 2], 8_192), ([1, 4, 2], 2_048),
    ([5, 7, 1, 3], 96), ([2, 2], 33),
  ]

  @Test(arguments: cases)
  func `each column of the hidden state reaches each later stage once`(
    _ sizes: [Int], _ hidden: Int
  ) {
    let routes = (0..<sizes.reduce(0, +)).map {
      StageRoute(rank: $0, stageSizes: sizes, hidden: hidden)
    }
    for (stage, size) in sizes.enumerated() {
      let members = routes.filter { $0.stage == stage }
      #expect(members.count == size)
      #expect(members.allSatisfy { $0.group == members[0].rank..<members[0].rank + size })
      let columns = members.compactMap(\.source?.columns)
      let expected = stage == 0 ? [] : Array(0..<hidden)
      #expect(columns.flatMap { Array($0) }.sorted() == expected)
    }
  }

  @Test(arguments: cases)
  func `what one rank sends, the other awaits, and both have a link`(
    _ sizes: [Int], _ hidden: Int
  ) {
    let routes = (0..<sizes.reduce(0, +)).map {
      StageRoute(rank: $0, stageSizes: sizes, hidden: hidden)
    }
    for route in routes {
      for target in route.targets {
        #expect(
          routes[target.rank].source == .init(rank: route.rank, columns: target.columns))
      }
      if let source = route.source {
        #expect(routes[source.rank].targets.contains { $0.rank == route.rank })
      }
      #expect(route.neighbours == route.neighbours.sorted())
      for other in route.neighbours { #expect(routes[other].neighbours.contains(route.rank)) }
    }
  }

  @Test func `whoever waits for a late stage is later to complain than the stage itself`() {
    var patience = StepPatience(
      tokenEstimate: .milliseconds(300), linkSlack: .milliseconds(10), sums: 60, stages: 3)
    for noted in [false, true] {
      for tokens in [1, 64] {
        // A rank of the first stage may begin to wait at the very end of a step.
        var last = patience.forSum(tokens: tokens) + .milliseconds(300 * tokens)
        for stage in 1..<3 {
          let taken = patience.forHandover(tokens: tokens, stage: stage)
          let gathered = patience.forGathering(tokens: tokens, stage: stage)
          #expect(taken > last && gathered > taken)
          last = gathered
        }
        #expect(patience.forStep(tokens: tokens) > last)
      }
      if !noted { for _ in 0..<8 { patience.note(tokens: 1, took: .milliseconds(280)) } }
    }
  }
}
