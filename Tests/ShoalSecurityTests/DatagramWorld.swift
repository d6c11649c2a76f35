// Peers that exchange sealed datagrams over a network that loses, repeats, reorders and forges.
import ShoalProtocol
import ShoalSecurity

/// How bad the network is; each figure is a chance in 100.
struct Weather: Sendable, Hashable {
  var loss = 0
  var duplication = 0
  /// Datagrams take 1 to this many milliseconds: anything above 1 reorders.
  var delay = 20
}

/// A world in virtual time. Peer n lives at 10.0.0.n.
struct DatagramWorld {
  struct Flight {
    let arrival: Moment
    let order: Int
    let bytes: [UInt8]
    let from: Endpoint
    let to: Endpoint
  }

  struct Delivery: Hashable {
    let at: Int
    let from: PeerID
    let payload: [UInt8]
  }

  var peers: Peers
  var weather: Weather
  var now = Moment(nanoseconds: 0)
  var parties: [HandshakeParty] = []
  var cores: [DatagramSecurity] = []
  var flights: [Flight] = []
  var sent: [Flight] = []
  var deliveries: [Delivery] = []
  var effects: [(peer: Int, effect: DatagramSecurity.Effect)] = []
  private var order = 0

  init(seed: UInt64, peers count: Int = 2, _ weather: Weather = Weather()) {
    peers = Peers(seed: seed)
    self.weather = weather
    for _ in 0..<count {
      parties.append(peers.party())
      cores.append(DatagramSecurity(parties[parties.count - 1], at: now, using: &peers.generator))
    }
  }

  func id(_ peer: Int) -> PeerID { parties[peer].identity.id }

  static func endpoint(_ peer: Int) -> Endpoint {
    Endpoint(address: [10, 0, 0, UInt8(peer)], port: 7433) ?? Endpoint("0.0.0.0:0")!
  }

  var time: UnixTime {
    UnixTime(nanoseconds: 1_900_000_000_000_000_000 + UInt64(now.nanoseconds))
  }

  /// The peer loses all but its keys.
  mutating func restart(_ peer: Int) {
    cores[peer] = DatagramSecurity(parties[peer], at: now, using: &peers.generator)
  }

  mutating func tellKeys() {
    for peer in cores.indices {
      for other in cores.indices where other != peer {
        handle(.learned(parties[other].identity.staticKey), peer)
      }
    }
  }

  mutating func send(_ payload: [UInt8], _ from: Int, _ to: Int) {
    handle(.send(payload, to: id(to), at: DatagramWorld.endpoint(to)), from)
  }

  mutating func handle(_ event: DatagramSecurity.Event, _ peer: Int) {
    for effect in cores[peer].handle(event, at: now, time: time, using: &peers.generator) {
      effects.append((peer, effect))
      switch effect {
      case .transmit(let bytes, let endpoint):
        launch(bytes, from: DatagramWorld.endpoint(peer), to: endpoint)
      case .deliver(let payload, let from, _):
        deliveries.append(Delivery(at: peer, from: from, payload: payload))
      case .connected, .rejected, .undelivered:
        break
      }
    }
  }

  mutating func launch(_ bytes: [UInt8], from: Endpoint, to: Endpoint) {
    precondition(bytes.count <= Limits.datagramBytes, "a datagram of \(bytes.count) bytes")
    let flight = { (world: inout DatagramWorld) in
      world.order += 1
      let delay = 1 + Int64(world.peers.generator.next() % UInt64(world.weather.delay))
      return Flight(
        arrival: world.now + .milliseconds(delay), order: world.order, bytes: bytes, from: from,
        to: to)
    }
    sent.append(flight(&self))
    if !chance(weather.loss) { flights.append(flight(&self)) }
    if chance(weather.duplication) { flights.append(flight(&self)) }
  }

  private mutating func chance(_ percent: Int) -> Bool {
    peers.generator.next() % 100 < UInt64(percent)
  }

  /// Lets time pass: every arrival and every timer at its moment.
  mutating func run(_ duration: Duration) {
    let end = now + duration
    var steps = 0
    while true {
      steps += 1
      precondition(steps < 1_000_000, "a world that never rests")
      let arrival = flights.indices.min {
        (flights[$0].arrival, flights[$0].order) < (flights[$1].arrival, flights[$1].order)
      }
      let timer = cores.indices.compactMap { peer in cores[peer].nextDeadline.map { ($0, peer) } }
        .min { $0 < $1 }
      if let arrival, flights[arrival].arrival <= min(end, timer?.0 ?? end) {
        let flight = flights.remove(at: arrival)
        now = max(now, flight.arrival)
        let receiver = Int(flight.to.address[3])
        if cores.indices.contains(receiver) {
          handle(.received(flight.bytes, from: flight.from), receiver)
        }
      } else if let timer, timer.0 <= end {
        now = max(now, timer.0)
        handle(.timePassed, timer.1)
      } else {
        now = end
        return
      }
    }
  }

  func payloads(at peer: Int, from other: Int) -> [[UInt8]] {
    deliveries.filter { $0.at == peer && $0.from == id(other) }.map(\.payload)
  }

  func rejections(at peer: Int) -> [DatagramRejection] {
    effects.compactMap { entry in
      guard entry.peer == peer, case .rejected(let reason, _) = entry.effect else { return nil }
      return reason
    }
  }

  var connections: Int {
    effects.count { entry in
      if case .connected = entry.effect { true } else { false }
    }
  }
}
