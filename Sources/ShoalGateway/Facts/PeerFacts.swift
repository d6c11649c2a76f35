// One element of `peers --json` and of `GET /api/peers`.

public import ShoalNode
import ShoalProtocol

/// A member of the mesh as people are shown it.
public struct PeerFacts: Codable, Sendable, Hashable {
  /// 64 hexadecimal digits.
  public let id: String
  public let isSelf: Bool
  /// `alive`, `suspect`, `dead` or `left`.
  public let state: String
  /// Of the peer's newest record: milliseconds since 1970 on its clock.
  public let incarnation: UInt64
  /// Nil where none is known.
  public let address: String?
  /// How streams get there: `direct`, `called` (it dials when asked) or `relayed`; nil: no way is
  /// known to work, or it is this peer.
  public let way: String?
  /// The peer that carries what is relayed, 64 hexadecimal digits.
  public let relay: String?
  /// The name of its device profile.
  public let profile: String
  /// Smoothed; nil before the first answer.
  public let roundTripMilliseconds: Double?
  /// What plans may fill.
  public let usableBytes: UInt64
  public let cores: Int
  /// By how much the device that the peer plays is slowed: 28 is a twenty-eighth of its speed, 1
  /// its own. Nil for a peer that plays none.
  public let emulated: Double?
  /// Of this peer: what its router was asked, and said; nil where it was not asked.
  public let portMapping: PortMappingFacts?

  public init(_ status: PeerStatus) {
    id = status.peer.raw.hex
    isSelf = status.isSelf
    state = status.state.name
    incarnation = status.record.version
    address = status.address?.description
    (way, relay) = PeerFacts.names(status.way)
    profile = status.record.profile
    roundTripMilliseconds = status.roundTrip.map { $0.inSeconds * 1_000 }
    usableBytes = status.record.memory.usable.bytes
    cores = Int(status.record.compute.cores)
    let factor = status.record.emulationFactor
    emulated = factor == 0 ? nil : 1_000 / Double(factor)
    portMapping = status.portMapping.map { PortMappingFacts($0) }
  }
}

/// Whether a router lets others in.
public struct PortMappingFacts: Codable, Sendable, Hashable {
  /// The address outside that leads here.
  public let address: String?
  /// `PCP` or `NAT-PMP`.
  public let method: String?
  /// Why there is none; nil also while the router has not answered.
  public let trouble: String?

  init(_ state: PortMappingState) {
    switch state {
    case .asking: (address, method, trouble) = (nil, nil, nil)
    case .mapped(let mapping):
      (address, method, trouble) = (mapping.outside.description, mapping.method.rawValue, nil)
    case .failed(let failure): (address, method, trouble) = (nil, nil, failure.description)
    }
  }
}

extension PeerFacts {
  private static func names(_ way: PeerWay?) -> (way: String?, relay: String?) {
    switch way {
    case nil: (nil, nil)
    case .direct: ("direct", nil)
    case .called: ("called", nil)
    case .relayed(let carrier): ("relayed", carrier.raw.hex)
    }
  }
}

extension MemberState {
  var name: String {
    switch self {
    case .alive: "alive"
    case .suspect: "suspect"
    case .dead: "dead"
    case .left: "left"
    }
  }
}
