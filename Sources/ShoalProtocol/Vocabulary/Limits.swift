// Every bound on what a stranger can make a peer hold, send or wait for, with its reason.

public enum Limits {
  /// A datagram fits IPv6's least MTU of 1,280 less headers (RFC 8200, section 5).
  public static let datagramBytes = 1_200
  /// The full view of one mesh; above 256 peers sub-meshes are advised.
  public static let peers = 1_024
  /// A manifest of 70B parameters over 80 layers takes under 1 MiB.
  public static let manifestBytes = 16 << 20
  /// The largest blob: one atom of the widest layer seen (a 405B model in F32) is under 512 MiB.
  public static let blobBytes = 1 << 30
  /// A vocabulary with merges, as strings.
  public static let tokenizerBytes = 64 << 20
  /// What a gossip message may take of a datagram: the rest is sealing, its nonce and header.
  public static let gossipBytes = 1_100
  /// A record travels in one datagram with its author, its signature and the message's header.
  public static let recordBytes = 990
  /// Two interfaces with IPv4 and IPv6 each.
  public static let endpointsPerPeer = 4
  /// With all other fields at their longest, this many full ids still fit `recordBytes`.
  public static let modelsPerRecord = 16
}
