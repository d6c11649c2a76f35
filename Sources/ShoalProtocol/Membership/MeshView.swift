// The peers that one peer holds to be alive, with their records: what a plan is computed from.

/// Records sorted by peer, and the hash that names the set. Equal views, equal plans.
public struct MeshView: Sendable {
  public let id: ViewID
  /// Sorted by peer, each once.
  private let held: [HeldRecord]

  /// `held` is sorted by peer and has nobody twice, as `MembershipCore.standing` answers.
  public init(_ held: [HeldRecord], hash: ContentHash) {
    let isSorted = zip(held, held.dropFirst()).allSatisfy { $0.record.peer < $1.record.peer }
    precondition(isSorted, "a view of \(held.count) records out of order")
    self.held = held
    var writer = ByteWriter(reserving: held.reduce(4) { $0 + $1.signed.body.count + 4 })
    writer.list(held) { $0.blob($1.signed.body) }
    id = ViewID(unsafe writer.bytes.withUnsafeBytes { unsafe hash($0) })
  }

  public var count: Int { held.count }
  public var records: [CapabilityRecord] { held.map(\.record) }
  public var peers: [PeerID] { held.map(\.record.peer) }

  /// The record of `peer`, found by halving.
  public func record(of peer: PeerID) -> CapabilityRecord? {
    let place = held.partitionPoint { $0.record.peer >= peer }
    guard place < held.count, held[place].record.peer == peer else { return nil }
    return held[place].record
  }
}

extension MeshView: Hashable {
  /// The id is a hash of everything else.
  public static func == (left: MeshView, right: MeshView) -> Bool { left.id == right.id }
  public func hash(into hasher: inout Hasher) { hasher.combine(id) }
}
