// Has a home's router let others in to this peer's port, for as long as the peer runs: how it is
// asked, when again, and what of its answers is believed.

/// A port outside that leads here, for UDP and TCP alike.
public struct PortMapping: Hashable, Sendable {
  public let method: PortMappingMethod
  public let outside: Endpoint

  public init(method: PortMappingMethod, outside: Endpoint) {
    (self.method, self.outside) = (method, outside)
  }
}

/// Why none does.
public enum PortMappingFailure: Hashable, Sendable {
  /// Nobody answers at the gateway, in either way.
  case silent
  case refused(PortMappingMethod, code: UInt16)
  /// The router's own address is no public one: it is behind another translation.
  case nested(Endpoint)
  /// UDP and TCP were given different ports, and one address must do for both.
  case portsDiffer(udp: UInt16, tcp: UInt16)
}

/// How far it has come.
public enum PortMappingState: Hashable, Sendable {
  /// The router was asked.
  case asking
  case mapped(PortMapping)
  case failed(PortMappingFailure)
}

/// A core: the PortMapper actor sends what it says and tells it what comes.
///
/// PCP is asked first, NAT-PMP where the router does not know it or says nothing. A mapping is
/// renewed after half of its life (RFC 6887, section 11.2.1; RFC 6886, section 3.3), so a router
/// that has forgotten it knows it again by then.
public struct PortMappingCore: Sendable {
  public enum Event: Hashable, Sendable {
    case start
    case received([UInt8])
    case deadline
    /// The peer goes: the router may forget its ports.
    case stop
  }

  public enum Effect: Hashable, Sendable {
    case send([UInt8])
    case mapped(PortMapping)
    case unmapped(PortMappingFailure)
  }

  private struct Grant: Sendable {
    let port: UInt16
    let seconds: UInt32
  }

  /// One round of questions, until all are answered.
  private struct Round: Sendable {
    let method: PortMappingMethod
    var attempts = 0
    var sendAt: Moment
    var grants: [MappedProtocol: Grant] = [:]
    var address: [UInt8]?
    /// UDP was asked for TCP's port once already.
    var hasAligned = false
  }

  private enum State: Sendable {
    case idle
    case asking(Round)
    case resting(until: Moment)
  }

  /// What is asked for, and what is believed of an answer.
  static let lifetime: UInt32 = 3_600
  static let shortestLife: UInt32 = 60
  /// The first wait for an answer, doubled each time (RFC 6886, section 3.1), and how often.
  static let patience = Duration.milliseconds(250)
  static let attempts = 5
  /// Before a router that refused or was silent is asked again.
  static let rest = Duration.seconds(600)

  private let client: [UInt8]
  private let port: UInt16
  private let nonce: [UInt8]
  private var state = State.idle
  /// What stands, and until when.
  private var standing: (mapping: PortMapping, expiresAt: Moment)?
  private var lastFailure: PortMappingFailure?

  /// - Parameters:
  ///   - client: this machine's address in the home, IPv4.
  ///   - port: where the peer is reached there.
  public init(client: Endpoint, port: UInt16, using generator: inout some RandomNumberGenerator) {
    self.client = client.address
    self.port = port
    nonce = (0..<12).map { _ in UInt8.random(in: 0...255, using: &generator) }
  }

  public var mapping: PortMapping? { standing?.mapping }

  public var nextDeadline: Moment? {
    let next: Moment? =
      switch state {
      case .idle: nil
      case .asking(let round): round.sendAt
      case .resting(let until): until
      }
    return [next, standing?.expiresAt].compactMap(\.self).min()
  }

  public mutating func handle(_ event: Event, at now: Moment) -> [Effect] {
    switch event {
    case .start:
      guard case .idle = state else { return [] }
      return begin(.pcp, at: now)
    case .received(let bytes): return receive(bytes, at: now)
    case .deadline: return expire(at: now) + proceed(at: now)
    case .stop: return stop()
    }
  }

  // MARK: Asking

  private mutating func begin(_ method: PortMappingMethod, at now: Moment) -> [Effect] {
    state = .asking(Round(method: method, sendAt: now))
    return proceed(at: now)
  }

  private mutating func proceed(at now: Moment) -> [Effect] {
    switch state {
    case .idle: return []
    case .resting(let until):
      // What stands is renewed the way it came about.
      return until <= now ? begin(standing?.mapping.method ?? .pcp, at: now) : []
    case .asking(var round):
      guard round.sendAt <= now else { return [] }
      guard round.attempts < Self.attempts else { return giveUp(round, at: now) }
      round.sendAt = now + Self.patience * (1 << round.attempts)
      round.attempts += 1
      state = .asking(round)
      return questions(round).map { .send($0) }
    }
  }

  /// Those that are not answered.
  private func questions(_ round: Round) -> [[UInt8]] {
    let suggested =
      round.grants[.tcp]?.port ?? standing?.mapping.outside.port ?? port
    let open = MappedProtocol.allCases.filter { round.grants[$0] == nil }.map {
      PortMappingQuestion.map($0, port: port, suggested: suggested, seconds: Self.lifetime)
    }
    switch round.method {
    case .pcp:
      return open.compactMap {
        $0.pcp(client: client, nonce: nonce, outside: standing?.mapping.outside.address)
      }
    case .natPMP:
      return ((round.address == nil ? [.address] : []) + open).map(\.natPMP)
    }
  }

  private mutating func giveUp(_ round: Round, at now: Moment) -> [Effect] {
    round.method == .pcp ? begin(.natPMP, at: now) : fail(.silent, at: now)
  }

  private mutating func fail(
    _ failure: PortMappingFailure, at now: Moment, after: UInt32? = nil
  ) -> [Effect] {
    let pause = after.map { Duration.seconds(Int64(min(max($0, 30), 1_800))) } ?? Self.rest
    state = .resting(until: now + pause)
    // What stands does so until it expires; the same failure is said once.
    guard standing == nil, lastFailure != failure else { return [] }
    lastFailure = failure
    return [.unmapped(failure)]
  }

  // MARK: Answers

  private mutating func receive(_ bytes: [UInt8], at now: Moment) -> [Effect] {
    guard case .asking(var round) = state,
      let answer = try? PortMappingAnswer(bytes: bytes, to: round.method)
    else { return [] }
    switch answer {
    case .unsupported:
      return round.method == .pcp ? begin(.natPMP, at: now) : fail(.silent, at: now)
    case .refused(let code, let seconds):
      return fail(.refused(round.method, code: code), at: now, after: seconds)
    case .address(let address):
      round.address = address
    case .mapped(let kind, let port, let outside, let address, let nonce, let seconds):
      // Anybody can send a datagram; only the router has seen the nonce.
      guard port == self.port, outside > 0, seconds > 0, nonce ?? self.nonce == self.nonce
      else { return [] }
      round.grants[kind] = Grant(port: outside, seconds: seconds)
      round.address = address ?? round.address
    }
    state = .asking(round)
    return conclude(round, at: now)
  }

  private mutating func conclude(_ round: Round, at now: Moment) -> [Effect] {
    guard let tcp = round.grants[.tcp], let udp = round.grants[.udp],
      let address = round.address, let outside = Endpoint(address: address, port: tcp.port)
    else { return [] }
    guard tcp.port == udp.port else { return align(round, at: now) }
    guard outside.isGlobal else { return fail(.nested(outside), at: now) }
    let granted = min(tcp.seconds, udp.seconds)
    let life = min(max(granted, Self.shortestLife), Self.lifetime)
    let mapping = PortMapping(method: round.method, outside: outside)
    let isNews = standing?.mapping != mapping
    standing = (mapping, now + .seconds(Int64(life)))
    lastFailure = nil
    state = .resting(until: now + .seconds(Int64(life / 2)))
    return isNews ? [.mapped(mapping)] : []
  }

  private mutating func align(_ round: Round, at now: Moment) -> [Effect] {
    guard !round.hasAligned else {
      let (udp, tcp) = (round.grants[.udp]?.port ?? 0, round.grants[.tcp]?.port ?? 0)
      return fail(.portsDiffer(udp: udp, tcp: tcp), at: now)
    }
    var again = round
    again.grants[.udp] = nil
    again.hasAligned = true
    again.attempts = 0
    again.sendAt = now
    state = .asking(again)
    return proceed(at: now)
  }

  // MARK: Ends

  private mutating func expire(at now: Moment) -> [Effect] {
    guard let expiresAt = standing?.expiresAt, expiresAt <= now else { return [] }
    standing = nil
    lastFailure = .silent
    return [.unmapped(.silent)]
  }

  private mutating func stop() -> [Effect] {
    defer { (state, standing) = (.idle, nil) }
    guard let method = standing?.mapping.method else { return [] }
    return MappedProtocol.allCases.compactMap { kind in
      let question = PortMappingQuestion.map(kind, port: port, suggested: 0, seconds: 0)
      let bytes = method == .pcp ? question.pcp(client: client, nonce: nonce) : question.natPMP
      return bytes.map { .send($0) }
    }
  }
}

extension PortMapping: CustomStringConvertible {
  /// Such as `203.0.113.7:7432 by PCP`.
  public var description: String { "\(outside) by \(method.rawValue)" }
}

extension PortMappingFailure: CustomStringConvertible {
  /// For a person.
  public var description: String {
    switch self {
    case .silent: "the router answers neither PCP nor NAT-PMP"
    case .refused(let method, let code): "the router refused by \(method.rawValue), code \(code)"
    case .nested(let outside):
      "the router's own address is not public (\(outside)): it is behind another translation"
    case .portsDiffer(let udp, let tcp):
      "the router gave UDP port \(udp) and TCP port \(tcp), and a peer has one for both"
    }
  }
}
