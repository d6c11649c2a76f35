// The network that whole nodes share in virtual time: datagrams with all their troubles, streams
// with theirs, and who can be reached.

internal import ShoalNode
internal import ShoalProtocol

/// Touched only by whoever has the turn.
final class VirtualMesh: @unchecked Sendable {
  let loop: VirtualLoop
  var network: SimulatedNetwork
  var trace = Trace()
  private var random: SeededGenerator
  private var sockets: [Endpoint: VirtualDatagrams] = [:]
  private var listeners: [Endpoint: VirtualStreams] = [:]
  /// Open connections, by the peers at their ends.
  private var connections: [(ends: Set<Int>, streams: [VirtualStream])] = []
  /// Bytes per second of a stream between two peers.
  private static let bytesPerSecond: Int64 = 117_000_000

  init(loop: VirtualLoop, topology: LinkTopology, random: SeededGenerator) {
    self.loop = loop
    network = SimulatedNetwork(topology: topology)
    self.random = random
  }

  // MARK: Datagrams

  func open(_ socket: VirtualDatagrams) { sockets[socket.endpoint] = socket }
  func close(_ socket: VirtualDatagrams) {
    if sockets[socket.endpoint] === socket { sockets[socket.endpoint] = nil }
  }

  func send(_ bytes: [UInt8], from source: VirtualDatagrams, to endpoint: Endpoint) {
    guard let sender = source.endpoint.simulatedNumber, let receiver = endpoint.simulatedNumber
    else { return }
    deliver(bytes, from: source.endpoint, sender, to: endpoint, receiver, isBeacon: false)
  }

  func beacon(_ bytes: [UInt8], from source: VirtualDatagrams) {
    guard let sender = source.endpoint.simulatedNumber else { return }
    for endpoint in sockets.keys.sorted() where endpoint != source.endpoint {
      guard let receiver = endpoint.simulatedNumber else { continue }
      deliver(bytes, from: source.endpoint, sender, to: endpoint, receiver, isBeacon: true)
    }
  }

  private func deliver(
    _ bytes: [UInt8], from source: Endpoint, _ sender: Int, to endpoint: Endpoint,
    _ receiver: Int, isBeacon: Bool
  ) {
    let deliveries = network.send(
      bytes.count, from: sender, to: receiver, at: loop.now, using: &random)
    for delivery in deliveries {
      var arriving = bytes
      if delivery.isFlipped, !bytes.isEmpty {
        let bit = Int.random(in: 0..<bytes.count * 8, using: &random)
        arriving[bit / 8] ^= 1 << UInt8(bit % 8)
      }
      let datagram = Datagram(bytes: arriving, from: source, isBeacon: isBeacon)
      loop.at(delivery.at) { [self] in
        trace.add(.deliver, peer: receiver, UInt64(sender), UInt64(bytes.count), at: loop.now)
        sockets[endpoint]?.arrive(datagram)
      }
    }
  }

  // MARK: Streams

  func listen(_ listener: VirtualStreams) { listeners[listener.endpoint] = listener }
  func close(_ listener: VirtualStreams) {
    if listeners[listener.endpoint] === listener { listeners[listener.endpoint] = nil }
  }

  /// A new connection after one round trip; nil where nobody answers. Throws where it is refused.
  func connect(from source: VirtualStreams, to endpoint: Endpoint) throws(LinkError)
    -> VirtualStream?
  {
    guard let sender = source.endpoint.simulatedNumber, let receiver = endpoint.simulatedNumber,
      network.carries(from: sender, to: receiver), network.carries(from: receiver, to: sender)
    else { return nil }
    guard let listener = listeners[endpoint] else { throw .refused(endpoint) }
    let there = VirtualPipe(sender: sender, receiver: receiver, mesh: self)
    let back = VirtualPipe(sender: receiver, receiver: sender, mesh: self)
    let mine = VirtualStream(
      remote: endpoint, incoming: back, outgoing: there, owner: source.owner, clock: source.clock)
    let theirs = VirtualStream(
      remote: source.endpoint, incoming: there, outgoing: back, owner: listener.owner,
      clock: listener.clock)
    connections.append(([sender, receiver], [mine, theirs]))
    loop.at(loop.now + network.topology.delay(from: sender, to: receiver)) {
      listener.arrive(theirs)
    }
    return mine
  }

  func roundTrip(_ one: Endpoint, _ other: Endpoint) -> Duration {
    guard let left = one.simulatedNumber, let right = other.simulatedNumber else { return .zero }
    return network.topology.delay(from: left, to: right)
      + network.topology.delay(from: right, to: left)
  }

  /// When bytes that are written now arrive: a lost segment costs a retransmission.
  func arrival(of bytes: Int, in pipe: VirtualPipe) -> Moment {
    let way = network.topology.delay(from: pipe.sender, to: pipe.receiver)
    let time = Duration.nanoseconds(Int64(bytes) * 1_000_000_000 / Self.bytesPerSecond)
    let isLost = random.happens(perMille: network.weather.lossPerMille)
    let jitter = Int64.random(in: network.weather.jitter, using: &random)
    return loop.now + way + time + .microseconds(jitter) + (isLost ? .milliseconds(200) : .zero)
  }

  func endArrival(in pipe: VirtualPipe) -> Moment {
    loop.now + network.topology.delay(from: pipe.sender, to: pipe.receiver)
  }

  /// The process of `peer` is gone. Its machine answers with resets, unless it is gone as well.
  func drop(_ peer: Int, sayingSo: Bool) {
    let touched = connections.filter { $0.ends.contains(peer) }
    connections.removeAll { $0.ends.contains(peer) }
    for connection in touched {
      for stream in connection.streams {
        if sayingSo { stream.reset() } else { stream.fallSilent() }
      }
    }
  }
}

final class VirtualDatagrams: DatagramTransport, @unchecked Sendable {
  let endpoint: Endpoint
  private let mesh: VirtualMesh
  let received: AsyncStream<Datagram>
  private let arrivals: AsyncStream<Datagram>.Continuation
  private var counted = DatagramCounters()
  private var isClosed = false

  init(endpoint: Endpoint, mesh: VirtualMesh) {
    self.endpoint = endpoint
    self.mesh = mesh
    (received, arrivals) = AsyncStream.makeStream(
      bufferingPolicy: .bufferingOldest(Limits.datagramQueue))
    mesh.open(self)
  }

  var localEndpoints: [Endpoint] { [endpoint] }
  var counters: DatagramCounters { counted }

  func send(_ bytes: [UInt8], to endpoint: Endpoint) {
    if !isClosed { mesh.send(bytes, from: self, to: endpoint) }
  }

  func beacon(_ bytes: [UInt8]) {
    if !isClosed { mesh.beacon(bytes, from: self) }
  }

  func arrive(_ datagram: Datagram) {
    switch arrivals.yield(datagram) {
    case .enqueued: counted.received += 1
    case .dropped: counted.shed += 1
    case .terminated: break
    @unknown default: break
    }
  }

  func close() {
    isClosed = true
    mesh.close(self)
    arrivals.finish()
  }
}

final class VirtualStreams: StreamTransport, @unchecked Sendable {
  let endpoint: Endpoint
  let owner: LoopOwner
  let clock: VirtualClock
  private let mesh: VirtualMesh
  let accepted: AsyncStream<any ByteStream>
  private let arrivals: AsyncStream<any ByteStream>.Continuation
  private var isClosed = false

  init(endpoint: Endpoint, owner: LoopOwner, clock: VirtualClock, mesh: VirtualMesh) {
    self.endpoint = endpoint
    self.owner = owner
    self.clock = clock
    self.mesh = mesh
    (accepted, arrivals) = AsyncStream.makeStream(
      bufferingPolicy: .bufferingOldest(Limits.acceptedStreams))
    mesh.listen(self)
  }

  var localEndpoints: [Endpoint] { [endpoint] }

  func connect(to endpoint: Endpoint, deadline: Moment) async throws -> any ByteStream {
    let start = clock.now()
    guard !isClosed else { throw LinkError.closed }
    try await mesh.loop.sleep(until: mesh.loop.now + mesh.roundTrip(self.endpoint, endpoint))
    if let stream = try mesh.connect(from: self, to: endpoint) { return stream }
    try await clock.sleep(until: deadline)
    throw LinkError.timedOut(afterNanoseconds: (clock.now() - start).nanoseconds)
  }

  func arrive(_ stream: VirtualStream) {
    switch arrivals.yield(stream) {
    case .enqueued: break
    case .dropped, .terminated: stream.shutdown()
    @unknown default: stream.shutdown()
    }
  }

  func close() {
    isClosed = true
    mesh.close(self)
    arrivals.finish()
  }
}
