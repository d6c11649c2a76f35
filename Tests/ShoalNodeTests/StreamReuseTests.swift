// Streams of one connection, one after the other: who may use it next, and when it must go.

import ShoalNode
import ShoalProtocol
import ShoalSecurity
import ShoalSystem
import Synchronization
import Testing

/// Blocking calls away from the shared pool, which the other side needs.
private func onThread<Result: Sendable>(
  _ body: @Sendable () throws -> Result
) async throws -> Result {
  let room = ThreadRoom(SystemThreads().thread(name: "client"))
  defer { room.close() }
  return try await room.perform(body)
}

extension FrameLink {
  fileprivate func echo(_ bytes: [UInt8]) throws -> [UInt8] {
    try send(.shard, bytes)
    return try hear()
  }
  fileprivate func hear() throws -> [UInt8] {
    try receive(.shard, deadline: SystemClock().now() + .seconds(60))
  }
}

/// Two doors on loopback; the second answers streams by sending back what they hold.
private struct Doorway: Sendable {
  let dialling: StreamDoor
  let record: CapabilityRecord
  let answering: StreamDoor
  let transport: TCPTransport
  let connections = Counter()
  let streams = Counter()
  let ended = Counter()

  final class Counter: Sendable {
    private let value = Mutex(0)
    func increment() { value.withLock { $0 += 1 } }
    var count: Int { value.withLock { $0 } }
  }

  init() throws {
    var generator = RandomSourceGenerator(Entropy())
    let network = try NetworkDescriptor(
      name: "test", admission: .key, privateKey: NetworkKey(using: &generator))
    let loopback = try #require(Endpoint("127.0.0.1:0"))
    func door(_ identity: PeerIdentity, _ transport: TCPTransport) -> StreamDoor {
      StreamDoor(
        party: HandshakeParty(
          identity: identity, network: network.id, networkKey: network.key),
        transport: transport, clock: SystemClock(), random: Entropy(), waiting: .sleep)
    }
    let identity = PeerIdentity(using: &generator)
    transport = try TCPTransport(listen: loopback)
    answering = door(identity, transport)
    dialling = door(PeerIdentity(using: &generator), try TCPTransport(listen: loopback))
    record = CapabilityRecord(
      peer: identity.id, version: 1, handshakeKey: identity.staticKey.key.raw,
      endpoints: transport.localEndpoints, memory: .init(total: .zero, usable: .zero),
      compute: .init(cores: 1, matrixVector: .init(f32: 0, f16: 0, q8: 0, q4: 0)))
  }

  /// Runs `body` while connections are answered.
  func run(_ body: () async throws -> Void) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        await withDiscardingTaskGroup { group in
          for await stream in transport.accepted { group.addTask { await answer(stream) } }
        }
      }
      try await body()
      transport.close()
      group.cancelAll()
    }
  }

  private func answer(_ stream: any ByteStream) async {
    guard let connection = try? await answering.answer(stream) else { return }
    connections.increment()
    await StreamHost(clock: SystemClock(), threads: SystemThreads()).run(connection) { link in
      streams.increment()
      await withTaskCancellationHandler {
        try? await echo(link)
      } onCancel: {
        link.shutdown()
      }
      link.shutdown()
      ended.increment()
    }
  }

  /// Until the other side ends the stream, or says 99.
  private func echo(_ link: any FrameLink) async throws {
    let room = ThreadRoom(SystemThreads().thread(name: "echo"))
    defer { room.close() }
    try await room.perform {
      _ = try link.receive(.hello, deadline: nil)
      while true {
        let bytes = try link.receive(.shard, deadline: nil)
        if bytes == [99] { return }
        try link.send(.shard, bytes)
      }
    }
  }

  /// A handshake that a busy machine was too slow for is begun again.
  func dial() async throws -> any FrameLink {
    while true {
      try Task.checkCancellation()
      if let link = try? await dialling.dial(record, .shard, within: .seconds(20)) { return link }
    }
  }

  /// A stream that says something and hears it, and is ended.
  func say(_ bytes: [UInt8]) async throws -> [UInt8] {
    let link = try await dial()
    defer { link.shutdown() }
    return try await onThread { try link.echo(bytes) }
  }

  /// Waits until the other side has ended `count` streams, so that their connections are free.
  func settle(_ count: Int) async throws {
    while ended.count < count {
      try await SystemClock().sleep(until: SystemClock().now() + .milliseconds(1))
    }
  }
}

extension RealTimeTests {
  @Suite(.timeLimit(.minutes(10))) struct StreamReuseTests {
    /// What `body` ends with; nil where it does not.
    private static func end(_ body: () throws -> Void) -> FrameLinkError? {
      do {
        try body()
        return nil
      } catch {
        return error as? FrameLinkError
      }
    }

    private static func endOfWaiting(_ link: any FrameLink) async -> FrameLinkError? {
      (try? await onThread { Self.end { _ = try link.receive(deadline: nil) } }) ?? nil
    }

    @Test func `streams to one peer share a connection, one after the other`() async throws {
      let doorway = try Doorway()
      try await doorway.run {
        for number in 0..<40 {
          let heard = try await doorway.say([UInt8(number)])
          #expect(heard == [UInt8(number)])
        }
        #expect(doorway.streams.count == 40)
        // An end that is still under way makes room for another connection, never for a wait.
        #expect(doorway.connections.count <= 10)
      }
    }

    @Test func `streams at the same time have a connection each`() async throws {
      let doorway = try Doorway()
      try await doorway.run {
        let first = try await doorway.dial()
        let second = try await doorway.dial()
        for (link, byte) in [(first, UInt8(1)), (second, 2)] { try link.send(.shard, [byte]) }
        for (link, byte) in [(second, UInt8(2)), (first, 1)] {
          let heard = try await onThread { try link.hear() }
          #expect(heard == [byte])
        }
        #expect(doorway.connections.count >= 2)
        first.shutdown()
        second.shutdown()
      }
    }

    @Test func `whoever still holds an ended stream cannot touch the next`() async throws {
      let doorway = try Doorway()
      try await doorway.run {
        let old = try await doorway.dial()
        old.shutdown()
        try await doorway.settle(1)
        let next = try await doorway.dial()
        old.shutdown()
        #expect(Self.end { try old.send(.shard, [1]) } == .link(.closed))
        #expect(Self.end { _ = try old.receive(deadline: nil) } == .link(.closed))
        let heard = try await onThread { try next.echo([7]) }
        #expect(heard == [7])
        #expect(doorway.connections.count == 1)
        next.shutdown()
      }
    }

    @Test func `the other side's end reads as closed, and what it left unread is dropped`()
      async throws
    {
      let doorway = try Doorway()
      try await doorway.run {
        let link = try await doorway.dial()
        // The first is heard and ends the stream there; the second is nobody's.
        for byte in [99, 5] as [UInt8] { try link.send(.shard, [byte]) }
        let end = try await onThread { Self.end { _ = try link.hear() } }
        #expect(end == .link(.closed))
        link.shutdown()
        try await doorway.settle(1)
        let heard8 = try await doorway.say([8])
        #expect(heard8 == [8])
        #expect(doorway.connections.count == 1)
      }
    }

    @Test func `a stream that is shut while a thread waits on it takes its connection along`()
      async throws
    {
      let doorway = try Doorway()
      try await doorway.run {
        let link = try await doorway.dial()
        async let waiting = Self.endOfWaiting(link)
        await Task.yield()
        link.shutdown()
        let end = await waiting
        #expect(end == .link(.closed))
        let heard3 = try await doorway.say([3])
        #expect(heard3 == [3])
      }
    }

    @Test func `a connection that the other side has closed is not used again`() async throws {
      let doorway = try Doorway()
      try await doorway.run {
        _ = try await doorway.say([1])
        doorway.dialling.forget(doorway.record.peer)
        let heard2 = try await doorway.say([2])
        #expect(heard2 == [2])
        #expect(doorway.connections.count >= 2)
      }
    }
  }
}
