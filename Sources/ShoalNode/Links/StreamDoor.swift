// Opens and answers sealed streams: a connection, a Noise handshake, a hello.

package import ShoalProtocol
package import ShoalSecurity

/// Why no sealed stream came about.
enum DoorError: Error, Sendable {
  case noAddress(PeerID)
  case handshake(HandshakeError)
  case link(LinkError)
}

/// Makes sealed links, from both sides.
package struct StreamDoor: Sendable {
  let party: HandshakeParty
  let transport: any StreamTransport
  let clock: any MeshClock
  let random: any RandomSource
  let waiting: WaitStrategy
  let pool: LinkPool
  /// Ways beside dialling; nil: there is none.
  let others: OtherWays?
  private let strangers = DoorQueue()
  private let places = SharedPlaces(.connections)

  /// A stranger has that long to prove that it is none.
  private static let patience = Duration.seconds(5)

  package init(
    party: HandshakeParty, transport: any StreamTransport, clock: any MeshClock,
    random: any RandomSource, waiting: WaitStrategy, others: OtherWays? = nil
  ) {
    self.party = party
    self.transport = transport
    self.clock = clock
    self.random = random
    self.waiting = waiting
    self.others = others
    pool = LinkPool(clock: clock)
  }

  /// What a peer anywhere may take to answer, handshake included.
  package static let usualPatience = Duration.seconds(2)

  /// A new connection to the first of a peer's addresses that answers, each within `patience`.
  func connect(
    to record: CapabilityRecord, within patience: Duration
  ) async throws -> SealedLink {
    var last: any Error = DoorError.noAddress(record.peer)
    for endpoint in others?.ways.endpoints(of: record) ?? record.endpoints {
      do {
        return try await shakingHands { suites in
          let deadline = clock.now() + patience
          let stream = try await transport.connect(to: endpoint, deadline: deadline)
          return try await shakeHands(stream, with: record, suites: suites, deadline: deadline)
        }
      } catch { last = error }
    }
    throw last
  }

  /// A peer without the faster cipher closes on its offer; one that has it refuses any other.
  func shakingHands(
    _ body: (CipherSuites) async throws -> SealedLink
  ) async throws -> SealedLink {
    do {
      return try await body(party.suites)
    } catch LinkError.closed {
      return try await body(.chaChaPolyOnly)
    }
  }

  func begin(
    _ hello: StreamHello, on connection: SealedLink
  ) throws -> any FrameLink {
    let pool = pool
    let stream = StreamLink(connection) { pool.keep(connection, $0) }
    try stream.send(.hello, hello.bytes)
    return stream
  }

  /// Shuts what is kept of connections to a peer that is gone.
  package func forget(_ peer: PeerID) { pool.drop(peer) }

  func shakeHands(
    _ stream: any ByteStream, with record: CapabilityRecord, suites: CipherSuites,
    deadline: Moment
  ) async throws -> SealedLink {
    var generator = RandomSourceGenerator(random)
    do {
      var handshake = try StreamHandshake(
        initiating: party, to: record.peer, staticKey: StaticKey(record.handshakeKey),
        peerSuites: suites, at: time, using: &generator)
      if let packet = handshake.firstPacket { try await stream.write(packet, deadline: deadline) }
      var isFinished = false
      while !isFinished {
        isFinished = try await step(&handshake, stream, deadline, &generator)
      }
      return try seal(stream, handshake.finish())
    } catch {
      stream.close()
      throw error
    }
  }

  /// Answers a connection. Closes it, without a byte, where the handshake fails.
  package func answer(_ stream: any ByteStream) async throws -> SealedLink {
    strangers.enter(stream)
    defer { strangers.leave(stream) }
    return try await respond(to: stream)
  }

  func respond(to stream: any ByteStream) async throws -> SealedLink {
    let deadline = clock.now() + Self.patience
    var generator = RandomSourceGenerator(random)
    do {
      var handshake = StreamHandshake(answeringAs: party)
      var isFinished = false
      while !isFinished {
        isFinished = try await step(&handshake, stream, deadline, &generator)
      }
      return try seal(stream, handshake.finish())
    } catch {
      stream.close()
      throw error
    }
  }

  /// Runs `body` with a connection that was answered, unless its peer has too many already.
  package func hosting(_ connection: SealedLink, _ body: (SealedLink) async -> Void) async {
    guard places.take(connection.peer) else { return connection.shutdown() }
    defer { places.give(connection.peer) }
    await body(connection)
  }

  /// Reads a packet and answers it. True: the handshake is done.
  private func step(
    _ handshake: inout StreamHandshake, _ stream: any ByteStream, _ deadline: Moment,
    _ generator: inout RandomSourceGenerator
  ) async throws -> Bool {
    let packet = try await stream.read(
      exactly: StreamHandshake.packetBytes, deadline: deadline)
    switch try handshake.receive(packet, at: time, using: &generator) {
    case .reply(let bytes):
      try await stream.write(bytes, deadline: deadline)
      return false
    case .finished(let last):
      if let last { try await stream.write(last, deadline: deadline) }
      return true
    }
  }

  private func seal(
    _ stream: any ByteStream, _ secure: consuming SecureStream
  ) throws -> SealedLink {
    let peer = secure.remote.id
    let direct = try stream.takeDirect(waiting: waiting)
    var link: SealedLink?
    secure.split { sealer, opener in
      link = SealedLink(peer: peer, link: direct, sealer: sealer, opener: opener, clock: clock)
    }
    guard let link else { throw DoorError.link(.closed) }
    return link
  }

  private var time: UnixTime { UnixTime(milliseconds: clock.unixMilliseconds()) }
}
