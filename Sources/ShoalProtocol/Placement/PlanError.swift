// Why there is no plan. Each case carries the numbers.

/// What one peer could give to a plan: 80 % of its usable memory.
public struct AvailableMemory: Hashable, Sendable {
  public let peer: PeerID
  public let available: ByteCount

  public init(peer: PeerID, available: ByteCount) {
    self.peer = peer
    self.available = available
  }
}

public enum PlanError: Error, Hashable, Sendable {
  /// A figure of the model's shape is outside what is believed.
  case shape(field: String, value: Int, limit: Int)
  case tooManyPeers(limit: Int, announced: Int)
  case peerTwice(PeerID)
  case contextTooLong(tokens: Int, limit: Int)
  /// Nobody is left to compute on.
  case noPeer(excluded: [ExcludedPeer])
  /// `needed` is what one peer would need alone; each further peer adds its buffers.
  case doesNotFit(needed: ByteCount, available: [AvailableMemory])
}
