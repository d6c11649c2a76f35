// What strangers send to an open port, before anything is proven.

import ShoalProtocol
import ShoalSecurity

extension FuzzTarget {
  static let security: [FuzzTarget] = [
    FuzzTarget("datagram", seeds: tags) { bytes in
      var chance = FixedChance()
      var core = DatagramSecurity(party, at: Moment(nanoseconds: 0), using: &chance)
      let effects = core.handle(
        .received(bytes, from: address), at: Moment(nanoseconds: 1),
        time: UnixTime(seconds: 1_900_000_000), using: &chance)
      for case .transmit(let answer, to: _) in effects where answer.count > bytes.count {
        throw BrokenPromise(
          description: "\(bytes.count) bytes of a stranger were answered by \(answer.count)")
      }
      if effects.contains(where: { if case .rejected = $0 { true } else { false } }) {
        throw Refused()
      }
    },
    FuzzTarget(
      "stream-handshake", seeds: [[UInt8](repeating: 1, count: StreamHandshake.packetBytes)]
    ) { bytes in
      var chance = FixedChance()
      var handshake = StreamHandshake(answeringAs: party)
      _ = try handshake.receive(bytes, at: UnixTime(seconds: 1_900_000_000), using: &chance)
      throw BrokenPromise(description: "a stranger's packet was taken")
    },
    FuzzTarget("beacon-seal", seeds: tags) { bytes in
      _ = try BeaconSeal(party.networkKey).open(bytes)
      throw BrokenPromise(description: "a beacon of another network was opened")
    },
    FuzzTarget("invite", seeds: tags) { bytes in _ = try Invite(bytes) },
    FuzzTarget("invite-text", seeds: [Array("SHOALAFINOLRI6".utf8)]) { bytes in
      _ = try Invite(text: String(decoding: bytes, as: UTF8.self))
    },
    FuzzTarget("endpoint", seeds: [Array("[2001:db8::1]:7432".utf8), Array("10.0.0.1:1".utf8)]) {
      bytes in
      guard let endpoint = Endpoint(String(decoding: bytes, as: UTF8.self)) else {
        throw Refused()
      }
      guard Endpoint("\(endpoint)") == endpoint else {
        throw BrokenPromise(description: "\(endpoint) does not read as itself")
      }
    },
  ]

  private static let address = Endpoint("192.0.2.1:9")!

  private static let party: HandshakeParty = {
    var chance = FixedChance()
    return HandshakeParty(
      identity: PeerIdentity(using: &chance),
      network: NetworkID(BLAKE2b.hash(Array("a network".utf8))),
      networkKey: NetworkKey(using: &chance))
  }()
}

/// Chance that is the same in every run, so that a finding repeats.
struct FixedChance: RandomNumberGenerator {
  private var state: UInt64 = 1
  /// SplitMix64 (Steele, Lea, Flood 2014).
  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var value = state
    value = (value ^ value >> 30) &* 0xbf58_476d_1ce4_e5b9
    value = (value ^ value >> 27) &* 0x94d0_49bb_1331_11eb
    return value ^ value >> 31
  }
}
