// From measured round trips to the name of a clique: which peers are near this one, and how far the
// others are. Nobody assigns cliques; each peer says in its record to which it counts itself.

/// What one peer says of its place among the others.
public struct CliqueStanding: Hashable, Sendable {
  /// Empty: nobody is known to be far.
  public var name: String
  /// One way, to the middle one of those that are far; 0: not known.
  public var outsideMicroseconds: UInt32

  public init(name: String = "", outsideMicroseconds: UInt32 = 0) {
    (self.name, self.outsideMicroseconds) = (name, outsideMicroseconds)
  }
}

/// A value that learns: what it says changes only when the measurements have said so for a while.
public struct CliqueWatch: Sendable {
  /// A link to another peer, and what that peer says of itself.
  public struct Link: Sendable {
    public let peer: PeerID
    /// The shortest of the latest round trips: what a busy machine adds is not distance.
    public let roundTrip: Duration
    public let samples: Int
    public let clique: String
    /// Whether streams to it need no third peer: sums are exchanged over no others.
    public let isDirect: Bool

    public init(
      peer: PeerID, roundTrip: Duration, samples: Int, clique: String, isDirect: Bool = true
    ) {
      (self.peer, self.roundTrip) = (peer, roundTrip)
      (self.samples, self.clique, self.isDirect) = (samples, clique, isDirect)
    }
  }

  /// A peer is near up to the first, and stays so up to the second: a wired or a wireless network
  /// of a house, and not the way to the next town.
  static let near = Duration.milliseconds(5)
  static let stillNear = Duration.milliseconds(10)
  /// Round trips that a distance is believed from.
  static let enough = 4
  /// How long measurements must say the same.
  static let patience = Duration.seconds(10)
  /// What a way is taken for that no probe has gone.
  public static let unmeasured = Duration.milliseconds(100)
  /// How often it is worth looking.
  public static let interval = Duration.seconds(1)

  private let own: PeerID
  public private(set) var standing = CliqueStanding()
  private var candidate = CliqueStanding()
  private var since: Moment?

  /// - Parameter startsAlone: nobody is taken for near before it was measured. Right where peers
  ///   come from anywhere; on a LAN they are near until shown to be far.
  public init(own: PeerID, startsAlone: Bool = false) {
    self.own = own
    if startsAlone { standing.name = CliqueWatch.name(of: own) }
  }

  private static func name(of peer: PeerID) -> String { String(peer.raw.hex.prefix(16)) }

  /// Takes the links as they are now; answers whether `standing` has changed.
  public mutating func handle(_ links: [Link], at now: Moment) -> Bool {
    let next = CliqueStanding(
      name: name(links), outsideMicroseconds: CliqueWatch.outside(links, isFar: isFar))
    guard next != standing else {
      since = nil
      return false
    }
    guard next == candidate, let since else {
      (candidate, self.since) = (next, now)
      return false
    }
    guard now - since >= Self.patience else { return false }
    standing = next
    self.since = nil
    return true
  }

  private func isNear(_ link: Link) -> Bool {
    guard link.isDirect else { return false }
    let isKnown = !standing.name.isEmpty && link.clique == standing.name
    return link.roundTrip <= (isKnown ? Self.stillNear : Self.near)
  }

  private func isFar(_ link: Link) -> Bool {
    !link.isDirect || (link.samples >= Self.enough && link.roundTrip > Self.stillNear)
  }

  /// The least name that a near peer, or this one, has already; where there is none, the id of the
  /// least peer that is near. So whoever comes joins what is there, and two names meet in one. Of
  /// two peers that reach each other only through a third, the lesser keeps a name that both have.
  private func name(_ links: [Link]) -> String {
    guard links.contains(where: isFar) else { return "" }
    let near = links.filter(isNear)
    let taken = Set(links.filter { !$0.isDirect && $0.peer < own }.map(\.clique))
    let names = near.map(\.clique) + [standing.name]
    if let name = names.filter({ !$0.isEmpty && !taken.contains($0) }).min() { return name }
    guard taken.allSatisfy(\.isEmpty) else { return Self.name(of: own) }
    let least = near.map(\.peer).min().map { min($0, own) } ?? own
    return Self.name(of: least)
  }

  private static func outside(_ links: [Link], isFar: (Link) -> Bool) -> UInt32 {
    let far = links.filter(isFar).map(\.roundTrip).sorted()
    guard !far.isEmpty else { return 0 }
    let microseconds = far[far.count / 2].nanoseconds / 2_000
    // In steps, so that noise does not move it.
    return UInt32(clamping: BucketedFigure(UInt64(max(0, microseconds))).value)
  }
}
