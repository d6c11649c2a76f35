// Whose models a peer takes up. An entry of the registry alone never makes a peer store anything:
// its publisher must be allowed, and the model small enough.

public import ShoalProtocol

public struct PublisherPolicy: Hashable, Sendable {
  /// Nil: everybody in the network.
  public var allowed: Set<PeerID>?
  /// Bytes of one model; nil: whatever the plan gives this peer.
  public var modelLimit: UInt64?

  public init(allowed: Set<PeerID>? = nil, modelLimit: UInt64? = nil) {
    self.allowed = allowed
    self.modelLimit = modelLimit
  }

  public static let everybody = PublisherPolicy()

  /// - Parameter own: this peer, whose own models are always taken.
  public func admits(_ entry: ModelEntry, own: PeerID) -> Bool {
    guard entry.publisher != own else { return true }
    if let allowed, !allowed.contains(entry.publisher) { return false }
    if let modelLimit, entry.byteCount > modelLimit { return false }
    return true
  }
}
