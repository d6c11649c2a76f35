// Streams to peers that cannot be dialled: asked to dial themselves, or through a third peer.

package import ShoalProtocol

/// What other ways take, beside the door itself.
package struct OtherWays: Sendable {
  let ways: Ways
  let desk: CallDesk
  let threads: any ThreadSource
  let record: @Sendable (PeerID) async -> CapabilityRecord?
  /// Asks a peer to dial, by a datagram.
  let call: @Sendable (PeerID, UInt64) async -> Void
}

extension StreamDoor {
  /// Opens a stream to the peer of `record`: on a connection that is there and free, else on a new
  /// one by the way that is known to work, or the first that does, each within `patience`.
  package func dial(
    _ record: CapabilityRecord, _ hello: StreamHello,
    within patience: Duration = StreamDoor.usualPatience
  ) async throws -> any FrameLink {
    let order = others?.ways.order(for: record.peer) ?? [.direct]
    do {
      return try await dial(record, hello, byFirstOf: order, within: patience)
    } catch {
      others?.ways.failed(record.peer, at: clock.now())
      throw error
    }
  }

  /// As `dial`, without the help of a third peer.
  func dialAlone(
    _ record: CapabilityRecord, _ hello: StreamHello,
    within patience: Duration = StreamDoor.usualPatience
  ) async throws -> any FrameLink {
    let order = (others?.ways.order(for: record.peer) ?? [.direct]).filter { way in
      if case .relayed = way { false } else { true }
    }
    return try await dial(record, hello, byFirstOf: order, within: patience)
  }

  private func dial(
    _ record: CapabilityRecord, _ hello: StreamHello, byFirstOf order: [PeerWay],
    within patience: Duration
  ) async throws -> any FrameLink {
    while let connection = pool.take(record.peer) {
      if let stream = try? begin(hello, on: connection) { return stream }
    }
    var last: any Error = DoorError.noAddress(record.peer)
    for way in order {
      do {
        return try await dial(record, hello, by: way, within: patience)
      } catch { last = error }
    }
    throw last
  }

  /// Opens a stream on a new connection by one way.
  func dial(
    _ record: CapabilityRecord, _ hello: StreamHello, by way: PeerWay, within patience: Duration
  ) async throws -> any FrameLink {
    let connection =
      switch way {
      case .direct: try await connect(to: record, within: patience)
      case .called: try await connectionFrom(record.peer, within: patience)
      case .relayed(let carrier):
        try await connect(to: record, through: carrier, within: patience)
      }
    return try begin(hello, on: connection)
  }

  /// A connection that the peer dials, asked to.
  private func connectionFrom(_ peer: PeerID, within patience: Duration) async throws -> SealedLink
  {
    guard let others else { throw DoorError.noAddress(peer) }
    let number = random.next()
    await others.desk.expect(number, from: peer)
    await others.call(peer, number)
    guard let connection = await others.desk.take(number, until: clock.now() + patience) else {
      throw DoorError.noAddress(peer)
    }
    return connection
  }

  private func connect(
    to record: CapabilityRecord, through carrier: PeerID, within patience: Duration
  ) async throws -> SealedLink {
    guard let others, let third = await others.record(carrier) else {
      throw DoorError.noAddress(record.peer)
    }
    return try await shakingHands { suites in
      let link = try await dialAlone(third, .relay(to: record.peer), within: patience)
      return try await shakeHands(
        Tunnel(link, threads: others.threads), with: record, suites: suites,
        deadline: clock.now() + patience)
    }
  }

  // MARK: The other side

  /// Dials a peer that asked for it. The connection is free for a stream of that peer's.
  func answerCall(
    of record: CapabilityRecord, _ number: UInt64, within patience: Duration
  ) async throws -> SealedLink {
    guard let others else { throw DoorError.noAddress(record.peer) }
    let connection = try await connect(to: record, within: patience)
    let (ends, ending) = AsyncStream.makeStream(
      of: StreamEnd.self, bufferingPolicy: .bufferingOldest(1))
    let stream = StreamLink(connection) {
      ending.yield($0)
      ending.finish()
    }
    try stream.send(.hello, StreamHello.called(number).bytes)
    stream.shutdown()
    var iterator = ends.makeAsyncIterator()
    let host = StreamHost(clock: clock, threads: others.threads)
    guard let end = await iterator.next(), await host.isFree(connection, after: end) else {
      connection.shutdown()
      throw DoorError.noAddress(record.peer)
    }
    return connection
  }

  /// Answers a handshake that comes through a third peer.
  func answerTunnel(_ link: any FrameLink) async throws -> SealedLink {
    guard let others else { throw DoorError.noAddress(link.peer) }
    return try await respond(to: Tunnel(link, threads: others.threads))
  }
}
