// What peers tell each other about each other. Each message fits one sealed datagram.

/// Membership messages (SWIM, Das et al. 2002; Lifeguard, Dadgar et al. 2018), the exchange of
/// records, and room for other gossip. The byte tables are in docs/PROTOCOL.md.
public enum GossipMessage: Hashable, Sendable {
  /// Asks the receiver to answer with an `ack` of the same sequence.
  case ping(sequence: UInt32, updates: [MemberUpdate])
  case ack(sequence: UInt32, updates: [MemberUpdate])
  /// Asks the receiver to ping `target`, and to pass its `ack` on under this sequence.
  case pingRequest(sequence: UInt32, target: PeerID, updates: [MemberUpdate])
  /// "I am alive, your target has not answered me yet" (Lifeguard, section III.A).
  case nack(sequence: UInt32)
  /// News, or the answer to an offer. A peer that leaves says so with an update about itself.
  case updates([MemberUpdate])
  /// Starts an exchange of what differs; `isReply` ends it.
  case syncOffer(TableFingerprint, isReply: Bool)
  case recordRequest([PeerID])
  case records([SignedRecord])
  /// Heads of ledger logs; ShoalLedger reads them.
  case ledger([UInt8])
  /// For a layer above that numbers its own kinds.
  case custom(kind: UInt8, payload: [UInt8])
}

/// One claim about one peer.
public struct MemberUpdate: Hashable, Sendable {
  public let peer: PeerID
  public let incarnation: Incarnation
  public let claim: MemberClaim
  public init(_ peer: PeerID, _ incarnation: Incarnation, _ claim: MemberClaim) {
    (self.peer, self.incarnation, self.claim) = (peer, incarnation, claim)
  }

  /// Size on the wire.
  public var byteCount: Int {
    switch claim {
    case .alive, .dead, .left: 41
    case .suspect: 73
    }
  }
}

public enum MemberClaim: Hashable, Sendable {
  case alive
  /// The observer got no answer; counted, since independent observers shorten the wait.
  case suspect(observer: PeerID)
  case dead
  case left
}

extension GossipMessage {
  /// What is left for updates beside a message's own fields (`pingRequest` has the most).
  public static let updateBudget = Limits.gossipBytes - 2 - 4 - 32 - 4
  /// As many of the shortest updates as fit.
  public static let mostUpdates = updateBudget / 41
  /// Each may be answered by a datagram of its own.
  public static let mostRequests = 16
  /// Body, author and signature, with the length of the body.
  static func wireSize(of record: SignedRecord) -> Int {
    4 + record.body.count + 32 + SignedRecord.signatureBytes
  }
  public static let payloadBytes = Limits.gossipBytes - 2 - 1 - 4
}
