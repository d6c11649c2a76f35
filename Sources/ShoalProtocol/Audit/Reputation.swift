// What one peer knows of others from its own audits. It is passed on to nobody: plans feel it only
// as the list of peers that an entry does without.

public struct Reputation: Hashable, Sendable {
  /// A peer is new until so many of its parts were recomputed and found right.
  public static let introduction = 32
  public static let peerLimit = 4_096

  private struct Standing: Hashable {
    var audits: UInt32 = 0
    /// Ranks that may have misled it each time that it was wrong, sorted; nil: it never was.
    var excuse: [PeerID]?
    var isCaught: Bool { excuse == [] }
  }
  private var standings: [PeerID: Standing] = [:]

  public init() {}

  /// Audits until a peer is not new any more.
  public func left(of peer: PeerID) -> Int {
    max(0, Self.introduction - Int(standings[peer]?.audits ?? 0))
  }

  /// Peers that computed what is not so, and that nobody can have misled; sorted.
  public var caught: [PeerID] { standings.filter { $0.value.isCaught }.keys.sorted() }

  /// Peers that were wrong and may have been misled, sorted.
  public var suspected: [PeerID] {
    standings.filter { $0.value.excuse != nil && !$0.value.isCaught }.keys.sorted()
  }

  /// Those of `peers` that a plan over them does without: whoever was caught, and whoever was wrong
  /// where a rank that may have misled it is here too.
  public func avoided(among peers: [PeerID]) -> [PeerID] {
    let present = Set(peers)
    return peers.filter { peer in
      guard let excuse = standings[peer]?.excuse else { return false }
      return excuse.isEmpty || excuse.contains { present.contains($0) }
    }
  }

  /// So many more of its parts were right. Whoever was caught stays so.
  public mutating func passed(_ peer: PeerID, audits: Int) {
    change(peer) { $0.audits = UInt32(clamping: Int($0.audits) + audits) }
  }

  /// A part of a peer's was wrong.
  ///
  /// - Parameter others: the ranks of the stage beside it and this peer. One of them may have told
  ///   it another number than it told this peer; whoever is wrong without it, too, was not misled.
  public mutating func foundWrong(_ peer: PeerID, beside others: [PeerID]) {
    change(peer) { standing in
      standing.excuse = (standing.excuse ?? others).filter { others.contains($0) }.sorted()
    }
  }

  /// Where there is no room, the peer that least is known of is forgotten, and is new again.
  private mutating func change(_ peer: PeerID, _ body: (inout Standing) -> Void) {
    if standings[peer] == nil, standings.count >= Self.peerLimit {
      let least = standings.filter { $0.value.excuse == nil }
        .min { ($0.value.audits, $0.key) < ($1.value.audits, $1.key) }
      guard let least else { return }
      standings[least.key] = nil
    }
    body(&standings[peer, default: Standing()])
  }

  // MARK: Bytes

  /// A list, by peer, of id, `u32` audits, `u8` whether it was wrong, and the list of its excuses.
  public var bytes: [UInt8] {
    var writer = ByteWriter()
    writer.list(standings.keys.sorted()) { writer, peer in
      writer.id(peer)
      writer.integer(standings[peer]?.audits ?? 0)
      writer.flag(standings[peer]?.excuse != nil)
      writer.list(standings[peer]?.excuse ?? []) { $0.id($1) }
    }
    return writer.bytes
  }

  public init(bytes: [UInt8]) throws(WireError) {
    var reader = ByteReader(bytes)
    let entries = try reader.list("peers", limit: Self.peerLimit) { reader throws(WireError) in
      let peer = try reader.id(PeerID.self)
      var standing = Standing(audits: try reader.integer(UInt32.self))
      let wasWrong = try reader.flag("wrong")
      let excuse = try reader.list("excuses", limit: Limits.peers) { reader throws(WireError) in
        try reader.id(PeerID.self)
      }
      if wasWrong { standing.excuse = excuse }
      return (peer, standing)
    }
    try reader.finish()
    standings = Dictionary(entries) { first, _ in first }
  }
}
