// The peers that one peer holds to be alive, with their records: what a plan is computed from.

/// Records sorted by peer, and the hash that names the set. Equal views, equal plans.
public struct MeshView: Hashable, Sendable {
  public let id: ViewID
  /// Sorted by peer, each once.
  public let records: [CapabilityRecord]

  /// Of two records of one peer the one with the higher version stays.
  public init(_ records: some Sequence<CapabilityRecord>, hash: ContentHash) {
    var newest: [PeerID: CapabilityRecord] = [:]
    for record in records {
      newest.merge([record.peer: record]) { $0.version >= $1.version ? $0 : $1 }
    }
    self.records = newest.values.sorted { $0.peer < $1.peer }
    var writer = ByteWriter()
    writer.list(self.records) { $0.blob($1.bytes) }
    id = ViewID(unsafe writer.bytes.withUnsafeBytes { unsafe hash($0) })
  }

  public var peers: [PeerID] { records.map(\.peer) }

  /// The record of `peer`, found by halving.
  public func record(of peer: PeerID) -> CapabilityRecord? {
    var range = records.startIndex..<records.endIndex
    while !range.isEmpty {
      let middle = range.lowerBound + range.count / 2
      if records[middle].peer == peer { return records[middle] }
      let isAfter = records[middle].peer < peer
      range = isAfter ? middle + 1..<range.upperBound : range.lowerBound..<middle
    }
    return nil
  }
}
