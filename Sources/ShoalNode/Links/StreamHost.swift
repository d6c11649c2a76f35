// The answering side of a connection: its streams, one after the other.

internal import ShoalProtocol

package struct StreamHost: Sendable {
  let clock: any MeshClock
  let threads: any ThreadSource

  package init(clock: any MeshClock, threads: any ThreadSource) {
    self.clock = clock
    self.threads = threads
  }

  /// Who has ended a stream here has that long to be heard ending it there.
  private static let drainPatience = Duration.seconds(5)

  /// Calls `serve` with each stream that the other side begins, its hello unread, until the
  /// connection ends, idles too long, or the task is cancelled.
  package func run(_ connection: SealedLink, _ serve: (any FrameLink) async -> Void) async {
    _ = await runUntilTurned(connection) {
      await serve($0)
      return nil
    }
  }

  /// As `run`, until `serve` returns a number: from then on this side dials streams, and the
  /// connection stays open.
  func runUntilTurned(
    _ connection: SealedLink, _ serve: (any FrameLink) async -> UInt64?
  ) async -> UInt64? {
    let number = await streams(of: connection, serve)
    if number == nil { connection.shutdown() }
    return number
  }

  /// Whether the connection is free behind a stream of this side's own that has ended here.
  func isFree(_ connection: SealedLink, after end: StreamEnd) async -> Bool {
    switch end {
    case .broken: false
    case .draining: await drain(connection)
    case .free: true
    }
  }

  private func streams(
    of connection: SealedLink, _ serve: (any FrameLink) async -> UInt64?
  ) async -> UInt64? {
    while !Task.isCancelled {
      var number: UInt64?
      let (ends, ending) = AsyncStream.makeStream(
        of: StreamEnd.self, bufferingPolicy: .bufferingOldest(1))
      do {
        let stream = StreamLink(connection) {
          ending.yield($0)
          ending.finish()
        }
        number = await serve(stream)
      }
      // Whoever `serve` gave the stream to may hold it longer.
      var iterator = ends.makeAsyncIterator()
      let end = await iterator.next()
      guard connection.isReusable else { return nil }
      switch end {
      case nil, .broken: return nil
      case .draining: guard await drain(connection) else { return nil }
      case .free: break
      }
      if let number { return number }
      guard await connection.waitForInput(until: clock.now() + Limits.idleLinkWait) else {
        return nil
      }
    }
    return nil
  }

  private func drain(_ connection: SealedLink) async -> Bool {
    let deadline = clock.now() + Self.drainPatience
    let room = ThreadRoom(threads.thread(name: "stream"))
    defer { room.close() }
    while await connection.waitForInput(until: deadline) {
      let end = try? await room.perform { connection.drainEnd() }
      switch end {
      case nil, .broken: return false
      case .free: return true
      case .draining: continue
      }
    }
    return false
  }
}
