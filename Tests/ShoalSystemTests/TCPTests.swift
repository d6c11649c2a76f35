// TCP on loopback: streams, links, and how each way of waiting ends.

import ShoalNode
import ShoalProtocol
import ShoalSystem
import Testing

private let anywhere = Endpoint("127.0.0.1:0")
private let clock = SystemClock()
private func soon(_ duration: Duration = .seconds(20)) -> Moment { clock.now() + duration }

/// Both ends of one connection.
private struct Pair {
  let transport: TCPTransport
  let near: any ByteStream
  let far: any ByteStream

  init(_ address: String = "127.0.0.1:0", openLimit: Int = 8) async throws {
    transport = try TCPTransport(listen: #require(Endpoint(address)), openLimit: openLimit)
    near = try await transport.connect(to: transport.localEndpoints[0], deadline: soon())
    var arrivals = transport.accepted.makeAsyncIterator()
    far = try #require(await arrivals.next())
  }

  func links(_ waiting: WaitStrategy) throws -> (any DirectLink, any DirectLink) {
    (try near.takeDirect(waiting: waiting), try far.takeDirect(waiting: waiting))
  }
}

extension DirectLink {
  func send(_ bytes: [UInt8]) throws { try unsafe bytes.withUnsafeBytes { unsafe try send($0) } }
  func receive(_ count: Int, deadline: Moment?) throws -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    try unsafe bytes.withUnsafeMutableBytes { unsafe try receive(into: $0, deadline: deadline) }
    return bytes
  }
}

/// A thread for code that blocks.
private func onThread<Result: Sendable>(
  _ body: @escaping @Sendable () throws -> Result
) async throws -> Result {
  let executor = ThreadExecutor(name: "shoal-test")
  defer { executor.stop() }
  return try await withTaskExecutorPreference(executor) { try await blocking(body) }
}
/// The error of a call that must fail.
private func linkError(_ body: @Sendable () async throws -> [UInt8]) async -> LinkError? {
  do {
    _ = try await body()
    return nil
  } catch {
    return error as? LinkError
  }
}
@concurrent private func blocking<Result: Sendable>(
  _ body: @Sendable () throws -> Result
) async throws -> Result { try body() }

@Suite(.timeLimit(.minutes(10))) struct TCPTests {
  @Test("a stream carries bytes both ways", arguments: ["127.0.0.1:0", "[::1]:0", "[::]:0"])
  func exchange(address: String) async throws {
    let pair = try await Pair(address)
    let message = (0..<1_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
    async let written: Void = pair.near.write(message, deadline: soon())
    let read = try await pair.far.read(exactly: message.count, deadline: soon())
    try await written
    #expect(read == message)
    try await pair.far.write([7], deadline: soon())
    #expect(try await pair.near.read(exactly: 1, deadline: soon()) == [7])
  }

  @Test("a read that gets nothing ends at its deadline")
  func readDeadline() async throws {
    let pair = try await Pair()
    let error = await #expect(throws: LinkError.self) {
      try await pair.near.read(exactly: 1, deadline: soon(.milliseconds(20)))
    }
    guard case .timedOut(let nanoseconds) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(nanoseconds >= 20_000_000)
  }

  @Test("closing either end, and cancelling the task, wakes a pending read")
  func wakes() async throws {
    for closesNear in [true, false] {
      let pair = try await Pair()
      async let ending = linkError { try await pair.near.read(exactly: 1, deadline: soon()) }
      await Task.yield()
      (closesNear ? pair.near : pair.far).close()
      #expect(await ending == .closed)
    }
    let pair = try await Pair()
    let result = await withTaskGroup(of: Bool.self) { group in
      group.addTask {
        do { _ = try await pair.near.read(exactly: 1, deadline: nil) } catch {
          return error is CancellationError
        }
        return false
      }
      group.cancelAll()
      return await group.next()
    }
    #expect(result == true)
  }

  @Test("more than a piece is refused before anything is allocated")
  func tooLong() async throws {
    let pair = try await Pair()
    let limit = Limits.streamPieceBytes
    await #expect(throws: LinkError.tooLong(limit: limit, asked: limit + 1)) {
      try await pair.near.read(exactly: limit + 1, deadline: nil)
    }
  }

  @Test("nobody there is refused, a port in use is a configuration error that names it")
  func nobodyAndInUse() async throws {
    let first = try TCPTransport(listen: #require(anywhere))
    let taken = first.localEndpoints[0]
    #expect(throws: ListenError.addressInUse(taken, .streams)) {
      try TCPTransport(listen: taken)
    }
    #expect("\(ListenError.addressInUse(taken, .streams))".contains("\(taken) is in use"))
    // A socket that is bound but does not listen holds a port where nobody answers.
    let silent = try UDPTransport(listen: #require(anywhere), beaconPort: 0).localEndpoints[0]
    await #expect(throws: LinkError.refused(silent)) {
      try await first.connect(to: silent, deadline: soon())
    }
  }

  @Test("connections beyond the limit are closed, and their places come back")
  func openLimit() async throws {
    let transport = try TCPTransport(listen: #require(anywhere), openLimit: 1)
    let there = transport.localEndpoints[0]
    var arrivals = transport.accepted.makeAsyncIterator()
    let first = try await transport.connect(to: there, deadline: soon())
    var held = await arrivals.next()
    let second = try await transport.connect(to: there, deadline: soon())
    await #expect(throws: LinkError.closed) {
      try await second.read(exactly: 1, deadline: soon())
    }
    held?.close()
    held = nil
    await #expect(throws: LinkError.closed) {
      try await first.read(exactly: 1, deadline: soon())
    }
    let third = try await transport.connect(to: there, deadline: soon())
    let accepted = await arrivals.next()
    try await accepted?.write([3], deadline: soon())
    #expect(try await third.read(exactly: 1, deadline: soon()) == [3])
  }

  @Test("connections that nobody fetches wait in a queue that ends")
  func acceptedStreams() async throws {
    let transport = try TCPTransport(listen: #require(anywhere))
    let more = 8
    var near: [any ByteStream] = []
    for _ in 0..<Limits.acceptedStreams + more {
      near.append(
        try await transport.connect(to: transport.localEndpoints[0], deadline: soon()))
    }
    // Those beyond the queue were closed, all others were not.
    for stream in near.suffix(more) {
      await #expect(throws: LinkError.closed) {
        try await stream.read(exactly: 1, deadline: soon())
      }
    }
    var arrivals = transport.accepted.makeAsyncIterator()
    var far: [any ByteStream] = []
    for stream in near.prefix(Limits.acceptedStreams) {
      let accepted = try #require(await arrivals.next())
      try await accepted.write([7], deadline: soon())
      far.append(accepted)
      #expect(try await stream.read(exactly: 1, deadline: soon()) == [7])
    }
    #expect(far.count == Limits.acceptedStreams)
  }

  @Test("closing the transport ends its arrivals; open streams live on")
  func closeTransport() async throws {
    let pair = try await Pair()
    pair.transport.close()
    var arrivals = pair.transport.accepted.makeAsyncIterator()
    #expect(await arrivals.next() == nil)
    try await pair.near.write([1], deadline: soon())
    #expect(try await pair.far.read(exactly: 1, deadline: soon()) == [1])
  }
}

@Suite(.timeLimit(.minutes(10))) struct DirectLinkTests {
  @Test("a stream that was handed over answers closed; its link carries on")
  func handOver() async throws {
    let pair = try await Pair()
    try await pair.near.write([1, 2], deadline: soon())
    #expect(try await pair.far.read(exactly: 1, deadline: soon()) == [1])
    let (near, far) = try pair.links(.sleep)
    await #expect(throws: LinkError.closed) { try await pair.near.write([1], deadline: nil) }
    #expect(throws: LinkError.closed) { try pair.near.takeDirect(waiting: .sleep) }
    try near.send([3])
    #expect(try far.receive(2, deadline: soon()) == [2, 3])
  }

  @Test(
    "round trips return what was sent",
    arguments: [WaitStrategy.sleep, .adaptive], [64, 8_192, 100_000])
  func roundTrips(waiting: WaitStrategy, size: Int) async throws {
    let (near, far) = try await Pair().links(waiting)
    let rounds = 300
    async let echo: Void = onThread {
      for _ in 0..<rounds { try far.send(far.receive(size, deadline: soon())) }
    }
    let samples = try await onThread {
      try (0..<rounds).map { round in
        let message = [UInt8](repeating: UInt8(truncatingIfNeeded: round), count: size)
        let start = clock.now()
        try near.send(message)
        let answer = try near.receive(size, deadline: soon())
        #expect(answer == message)
        return (clock.now() - start).nanoseconds
      }
    }
    try await echo
    let sorted = samples.sorted()
    Attachment.record(
      "p50 \(sorted[rounds / 2]) ns, p99 \(sorted[rounds * 99 / 100]) ns",
      named: "round-trip-\(size)-\(waiting).txt")
  }

  @Test("two sides that send more than the kernel holds before they receive do not block")
  func mutualSends() async throws {
    let (near, far) = try await Pair().links(.sleep)
    let size = 12 << 20
    let sides = [(near, UInt8(1)), (far, UInt8(2))]
    try await withThrowingTaskGroup { group in
      for (link, mark) in sides {
        group.addTask {
          try await onThread {
            for round in 0..<2 {
              try link.send([UInt8](repeating: mark &+ UInt8(round), count: size))
              let received = try link.receive(size, deadline: soon())
              let right = received.allSatisfy { $0 == 3 - mark &+ UInt8(round) }
              #expect(right)
            }
          }
        }
      }
      try await group.waitForAll()
    }
  }

  /// Each sets aside what the other sends, up to a bound; then nothing moves any more.
  @Test("two sides that only send are told so after the stall, and hold no more than their share")
  func onlySends() async throws {
    let (near, far) = try await Pair().links(.sleep)
    let chunk = [UInt8](repeating: 1, count: 1 << 20)
    let ends = await withTaskGroup { group in
      for link in [near, far] {
        group.addTask {
          await linkError {
            try await onThread {
              for _ in 0..<256 { try link.send(chunk) }
              return []
            }
          }
        }
      }
      return await group.reduce(into: [LinkError?]()) { $0.append($1) }
    }
    let stalled = LinkError.timedOut(afterNanoseconds: Limits.linkStall.nanoseconds)
    // Whoever ends first may end the other.
    #expect(ends.contains(stalled))
    #expect(ends.allSatisfy { $0 == stalled || $0 == .closed })
    // What was set aside is still there, and no more than that and what the system held.
    let held = try await onThread {
      var held = 0
      while (try? near.receive(1 << 16, deadline: soon(.milliseconds(10)))) != nil {
        held += 1 << 16
      }
      return held
    }
    #expect(held >= Limits.linkStagingBytes)
    #expect(held < 2 * Limits.linkStagingBytes)
  }

  @Test(
    "shutdown on either side wakes a blocked receive",
    arguments: [WaitStrategy.sleep, .adaptive], [true, false])
  func shutdownWakes(waiting: WaitStrategy, near shutsNear: Bool) async throws {
    let (near, far) = try await Pair().links(waiting)
    async let ending = linkError {
      try await onThread { try near.receive(1, deadline: nil) }
    }
    await Task.yield()
    (shutsNear ? near : far).shutdown()
    #expect(await ending == .closed)
  }

  @Test(
    "a receive ends at its deadline, with the time it waited",
    arguments: [WaitStrategy.sleep, .adaptive])
  func deadline(waiting: WaitStrategy) async throws {
    let (near, far) = try await Pair().links(waiting)
    try far.send([1])
    let error = await #expect(throws: LinkError.self) {
      try await onThread { try near.receive(2, deadline: soon(.milliseconds(20))) }
    }
    guard case .timedOut(let nanoseconds) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect((15_000_000..<10_000_000_000).contains(nanoseconds))
  }
}
