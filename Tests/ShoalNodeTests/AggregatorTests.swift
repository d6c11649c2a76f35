// The all-reduce between ranks: exact sums, and a typed failure for everything that is not one.

import ShoalInference
import ShoalNode
import ShoalProtocol
import ShoalSystem
import Testing

/// Links between all of some ranks, in memory.
private struct Triangle: Sendable {
  let peers: [PeerID]
  /// (ranks, ranks); nil on the diagonal.
  let links: [[MemoryLink?]]

  init(_ ranks: Int) {
    let peers = (0..<ranks).map { rank in
      PeerID(Bytes32([UInt8](repeating: UInt8(rank + 1), count: 32)) ?? .zero)
    }
    var links = [[MemoryLink?]](repeating: Array(repeating: nil, count: ranks), count: ranks)
    for left in 0..<ranks {
      for right in left + 1..<max(ranks, left + 1) {
        (links[left][right], links[right][left]) = MemoryLink.pair(
          left: peers[left], right: peers[right]
        ) { SystemThreads().gate() }
      }
    }
    self.peers = peers
    self.links = links
  }
}

/// A rank's thread.
private actor RankHome {
  private let thread: any ActorThread
  nonisolated var unownedExecutor: UnownedSerialExecutor {
    unsafe thread.asUnownedSerialExecutor()
  }
  init(rank: Int) { thread = SystemThreads().thread(name: "rank \(rank)") }
  nonisolated func stop() { thread.stop() }

  func reduce(_ rank: Int, _ triangle: Triangle, rounds: [[Int64]]) throws -> [[Int64]] {
    let aggregator = AggregatorTests.aggregator(rank, triangle.links[rank])
    return try rounds.enumerated().map { index, sums in
      try AggregatorTests.reduce(aggregator, sums, index: index, patience: .seconds(60))
    }
  }
}

@Suite struct AggregatorTests {
  static let binding = StepBinding(
    job: JobID(.zero), term: Term(3), plan: PlanID(.zero))

  static func aggregator(_ rank: Int, _ links: [MemoryLink?]) -> Aggregator {
    Aggregator(
      rank: rank, links: links, clock: SystemClock(),
      pacer: Pacer(pace: nil, clock: SystemClock(), threads: SystemThreads()))
  }

  static func reduce(
    _ aggregator: Aggregator, _ sums: [Int64], index: Int = 1, patience: Duration = .zero
  ) throws -> [Int64] {
    var sums = sums
    try unsafe sums.withUnsafeMutableBufferPointer { buffer in
      try unsafe aggregator.reduce(
        buffer, binding: binding, sequence: 9, index: index,
        deadline: SystemClock().now() + patience)
    }
    return sums
  }

  @Test(arguments: [1, 2, 3, 7]) func `every rank has the exact sum`(_ ranks: Int) async throws {
    var random = SeededGenerator(state: UInt64(ranks))
    // (ranks, rounds, elements); the widest values that a partial may have are among them.
    let parts = (0..<ranks).map { _ in
      [1, 31, 32, 700].map { count in
        (0..<count).map { _ -> Int64 in
          let width = Int.random(in: 1...44, using: &random)
          return Int64.random(in: -(1 << width)...(1 << width), using: &random)
        }
      }
    }
    let expected = parts[0].indices.map { round in
      parts[0][round].indices.map { element in parts.reduce(0) { $0 + $1[round][element] } }
    }
    let triangle = Triangle(ranks)
    let totals = try await withThrowingTaskGroup(of: [[Int64]].self) { group in
      for rank in 0..<ranks {
        let home = RankHome(rank: rank)
        group.addTask {
          defer { home.stop() }
          return try await home.reduce(rank, triangle, rounds: parts[rank])
        }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(totals.count == ranks)
    for total in totals { #expect(total == expected) }
  }

  /// A header that differs from what rank 0 expects of rank 1 in one field.
  static let strangers = [
    PartialHeader(binding: binding.value ^ 1, sequence: 9, index: 1, rank: 1),
    PartialHeader(binding: binding.value, sequence: 8, index: 1, rank: 1),
    PartialHeader(binding: binding.value, sequence: 9, index: 2, rank: 1),
    PartialHeader(binding: binding.value, sequence: 9, index: 1, rank: 0),
  ]

  @Test(arguments: strangers) func `a partial of another step is refused, never added`(
    _ header: PartialHeader
  ) throws {
    let triangle = Triangle(2)
    try Self.send(header, body: [0], over: triangle)
    #expect(
      throws: JobFailure.protocolViolation(
        triangle.peers[1], .invalid(field: "partial of another step"))
    ) { try Self.reduce(Self.aggregator(0, triangle.links[0]), [5]) }
  }

  private static let expected = PartialHeader(
    binding: binding.value, sequence: 9, index: 1, rank: 1)

  /// Bodies for one element that are no packed partial.
  @Test(
    arguments: [
      [], [47], [46, 0], [1, 0, 0],
      // 2^44 + 1 in 46 bits: beyond what a partial may hold.
      [46, 1, 0, 0, 0, 0, 0x10],
    ] as [[UInt8]])
  func `a body that is no partial of that size is refused`(_ body: [UInt8]) throws {
    let triangle = Triangle(2)
    try Self.send(Self.expected, body: body, over: triangle)
    #expect(
      throws: JobFailure.protocolViolation(triangle.peers[1], .invalid(field: "partial"))
    ) { try Self.reduce(Self.aggregator(0, triangle.links[0]), [5]) }
  }

  @Test func `a frame shorter than a header, or of another type, is refused`() throws {
    for type in [FrameType.partial, .job] {
      let triangle = Triangle(2)
      try triangle.links[1][0]?.send(type, [1, 2, 3])
      #expect(
        throws: JobFailure.protocolViolation(
          triangle.peers[1], .invalid(field: "partial of another step"))
      ) { try Self.reduce(Self.aggregator(0, triangle.links[0]), [5]) }
    }
  }

  @Test func `a good partial is added`() throws {
    let triangle = Triangle(2)
    // 37 in seven bits.
    try Self.send(Self.expected, body: [7, 37], over: triangle)
    let sums = try Self.reduce(Self.aggregator(0, triangle.links[0]), [5])
    #expect(sums == [42])
  }

  @Test func `a closed link is a lost peer`() throws {
    let triangle = Triangle(3)
    for link in triangle.links[2] { link?.shutdown() }
    #expect(throws: JobFailure.peerLost(triangle.peers[2])) {
      try Self.reduce(Self.aggregator(0, triangle.links[0]), [5])
    }
  }

  @Test func `a peer that says nothing until the deadline is named`() throws {
    let triangle = Triangle(2)
    let error = #expect(throws: JobFailure.self) {
      try Self.reduce(Self.aggregator(0, triangle.links[0]), [5])
    }
    guard case .deadline(let peer, let milliseconds)? = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(peer == triangle.peers[1])
    #expect((0..<1_000).contains(milliseconds))
  }

  @Test(arguments: [(0, 0), (1, 0), (2, 0), (3, 1), (4, 1)])
  func `an own sum out of range names its layer`(_ index: Int, _ layer: Int) throws {
    let triangle = Triangle(2)
    #expect(throws: JobFailure.numericRange(layer: layer)) {
      try Self.reduce(
        Self.aggregator(0, triangle.links[0]), [1 << 44 + 1 << 43], index: index)
    }
  }

  /// From rank 1 to rank 0.
  private static func send(
    _ header: PartialHeader, body: [UInt8], over triangle: Triangle
  ) throws {
    let count = PartialHeader.count + body.count
    try unsafe triangle.links[1][0]?.send(.partial, capacity: count) { buffer in
      unsafe header.write(to: buffer)
      for (index, byte) in body.enumerated() {
        unsafe buffer[PartialHeader.count + index] = byte
      }
      return count
    }
  }
}
