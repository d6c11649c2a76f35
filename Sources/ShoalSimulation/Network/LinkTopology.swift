// How long a datagram is on its way between two places: the same everywhere, or measured.

internal import ShoalProtocol

/// Why a file is no matrix of round trips.
public enum TopologyError: Error, Hashable, Sendable {
  /// Not a square of 16-bit numbers.
  case notSquare(bytes: Int)
  case empty
}

extension TopologyError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .notSquare(let bytes): "\(bytes) bytes are no square matrix of 16-bit round trips"
    case .empty: "no round trip in the matrix"
    }
  }
}

/// One-way delays between places. A peer lives at the place of its number, counted round.
public struct LinkTopology: Hashable, Sendable {
  /// (places, places) microseconds one way.
  private let delays: [[Int64]]
  public let name: String

  /// Everybody on one wired LAN.
  public static let lan = LinkTopology(uniform: 150, name: "lan")

  public init(uniform microseconds: Int64, name: String) {
    delays = [[microseconds]]
    self.name = name
  }

  /// A matrix of round trips in tenths of a millisecond, little-endian, 0 where none was measured
  /// (shared/data/net). What was not measured takes the median of what was; a place is 0.1 ms from
  /// itself.
  public init(roundTrips bytes: [UInt8], name: String) throws(TopologyError) {
    let side = Int(Double(bytes.count / 2).squareRoot().rounded())
    guard side > 0, side * side * 2 == bytes.count else {
      throw .notSquare(bytes: bytes.count)
    }
    let tenths = stride(from: 0, to: bytes.count, by: 2).map {
      Int64(bytes[$0]) | Int64(bytes[$0 + 1]) << 8
    }
    let measured = tenths.filter { $0 > 0 }.sorted()
    guard !measured.isEmpty else { throw .empty }
    let median = measured[measured.count / 2]
    delays = (0..<side).map { row in
      (0..<side).map { column in
        let value = tenths[row * side + column]
        return row == column ? 100 : (value == 0 ? median : value) * 50
      }
    }
    self.name = name
  }

  public var places: Int { delays.count }

  /// From `sender` to `receiver`, one way.
  package func delay(from sender: Int, to receiver: Int) -> Duration {
    .microseconds(delays[sender % places][receiver % places])
  }

  /// One way, between peers that count as near each other.
  private static let near: Int64 = 2_500

  /// Which peers are near each other, as their records would say it, and how far the others are:
  /// a peer belongs to the first that it is near. Where all are equally far, `houses` of three in
  /// turn, with nothing known of what is between them.
  func cliques(of peers: Int, houses: Int) -> [(name: String, outsideMicroseconds: UInt32)] {
    guard places > 1 else {
      return (0..<peers).map { (houses > 1 ? "house \($0 / 3 % houses)" : "", 0) }
    }
    var founders: [Int] = []
    let founder = (0..<places).map { place in
      if let first = founders.first(where: { delays[place][$0] <= Self.near }) { return first }
      founders.append(place)
      return place
    }
    return (0..<peers).map { peer in
      let place = peer % places
      let far = (0..<places).filter { founder[$0] != founder[place] }
        .map { delays[place][$0] }.sorted()
      guard !far.isEmpty else { return ("", 0) }
      return ("place \(founder[place])", UInt32(clamping: far[far.count / 2]))
    }
  }

  /// The longest one-way delay among the first `peers`.
  package func longest(peers: Int) -> Duration {
    let rows = delays.prefix(peers)
    return .microseconds(rows.compactMap { $0.prefix(peers).max() }.max() ?? 0)
  }
}
