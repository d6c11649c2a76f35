// Whom to ask for the blobs of a model: first who should have them, then everybody, in turn.

package import ShoalProtocol

/// Orders the peers that a fetch dials. In a mesh of hundreds only a few hold a given atom, and
/// dialling all of them for each fetch is no choice: so the storage plans of now and of before say
/// who comes first, then what the records announce. What those do not have, a later try finds at
/// others.
package struct HolderSearch: Sendable {
  /// Dialled at once: each is a connection and a thread.
  package static let width = 16

  /// The newest first. After a change of the mesh it is the one before whose holders have the
  /// atoms.
  private var plans: [StoragePlan] = []
  /// Tries in a row that left something out.
  private var fruitless = 0

  package init() {}

  package mutating func adopt(_ plan: StoragePlan) {
    guard plans.first != plan else { return }
    plans = [plan] + plans.prefix(1)
  }

  /// How a try ended: after one that left something out others are asked.
  package mutating func tried(foundAll: Bool) { fruitless = foundAll ? 0 : fruitless + 1 }

  /// At most `width` peers, those that should have most of what is missing first.
  ///
  /// - Parameters:
  ///   - missing: atoms, by their place in the manifest; none where the manifest itself is sought.
  ///   - records: of all peers that may be asked.
  package func peers(
    for missing: [Int], of model: ModelID, among records: [CapabilityRecord]
  ) -> [PeerID] {
    let planned = planned(missing)
    let ranked = records.compactMap { record -> (weight: Int, peer: PeerID)? in
      let holding = record.holding(model)
      guard record.services.contains(.storage) || holding != nil else { return nil }
      let whole = holding?.isComplete == true ? missing.count + 1 : 0
      return (2 * (whole + (planned[record.peer] ?? 0)) + (holding == nil ? 0 : 1), record.peer)
    }
    let order = ranked.sorted { ($1.weight, $0.peer) < ($0.weight, $1.peer) }.map(\.peer)
    guard order.count > Self.width else { return order }
    let start = fruitless * Self.width % order.count
    return Array((order[start...] + order[..<start]).prefix(Self.width))
  }

  /// How many of `missing` each peer holds by any of the plans.
  private func planned(_ missing: [Int]) -> [PeerID: Int] {
    var counts: [PeerID: Int] = [:]
    for atom in missing {
      let holders = plans.flatMap { plan in
        atom < plan.holders.count ? plan.holders[atom].map { plan.peers[$0] } : []
      }
      for holder in Set(holders) { counts[holder, default: 0] += 1 }
    }
    return counts
  }
}
