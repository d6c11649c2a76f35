// Bounds on what waits between this peer and its links.

extension Limits {
  /// Datagrams that wait for their reader: 1.2 MB at most, one gossip round of the largest mesh.
  public static let datagramQueue = 1_024
  /// Connections that wait for their handshake: as many as peers that may all join at once.
  public static let acceptedStreams = 64
  /// Accepted connections that one peer holds open: four classes with each of 256 peers.
  public static let openStreams = 1_024
  /// Accepted connections whose handshake is under way, and those of one block of addresses. The
  /// oldest is closed for the next: a handshake takes a round trip.
  public static let unprovenStreams = 256
  public static let unprovenStreamsOfOne = 128
  /// Accepted connections of one peer: three for each of its jobs here, fetches, and those kept.
  public static let streamsOfOnePeer = 64
  /// One read or write of an asynchronous stream: larger blobs travel in pieces.
  public static let streamPieceBytes = 4 << 20
  /// A peer that takes nothing off a link for that long is gone.
  public static let linkStall = Duration.seconds(10)
  /// Streams that a peer carries for others at a time, and those of one of them: each has two
  /// threads.
  public static let relayedStreams = 32
  public static let relayedStreamsOfOne = 8
  /// One piece of such a stream.
  public static let relayPieceBytes = 256 << 10
  /// Connections that a peer dials at a time because others asked it to, and for one of them.
  public static let answeredCalls = 32
  public static let answeredCallsOfOne = 8
  /// What a link sets aside while it sends: the partials of 512 positions of width 8,192 in 64
  /// bits.
  public static let linkStagingBytes = 32 << 20
}
