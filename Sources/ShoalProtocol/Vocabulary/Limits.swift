// Every bound on what a stranger can make a peer hold, send or wait for, with its reason.

public enum Limits {
  /// A datagram fits IPv6's least MTU of 1,280 less headers (RFC 8200, section 5).
  public static let datagramBytes = 1_200
  /// The full view of one mesh; above 256 peers sub-meshes are advised.
  public static let peers = 1_024
  /// A handshake costs its responder a quarter of a millisecond; 100 take 3 % of a core. Above
  /// that, addresses must be proven.
  public static let handshakesPerSecond = 100
  /// Whatever is proven, handshakes take no more than a quarter of a core.
  public static let provenHandshakesPerSecond = 1_000
  /// Handshakes of strangers that wait for their next packet, in either role.
  public static let pendingHandshakes = 256
  /// Of those, answers to one block of addresses: a household's devices, all of them at once.
  public static let pendingHandshakesOfOne = 32
  /// With so many answers under way, first packets must prove their address: what is left is for
  /// those who do.
  public static let unprovenHandshakes = 64
  /// Peers of one block of addresses that this peer knows at a time: a LAN has one block in IPv6.
  public static let peersOfOne = 256
  /// Datagrams that wait for a handshake, per peer: one round of gossip, the oldest shed first.
  public static let queuedDatagrams = 16
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
  /// Everything before a GGUF file's weights: 256k tokens with merges take under 32 MiB.
  public static let ggufHeaderBytes = 256 << 20
  /// Metadata entries of a GGUF file; popular ones have 20 to 60.
  public static let ggufMetadataEntries = 1 << 16
  /// Tensors of a GGUF file: 128 layers of 256 experts that are stored one by one fit.
  public static let ggufTensors = 1 << 17
  /// The format's reference reader takes no longer header.
  public static let safetensorsHeaderBytes = 100_000_000
  /// Tensors of one safetensors file: 128 layers of 256 experts with three matrices each.
  public static let tensors = 1 << 17
  /// Seen are up to four.
  public static let tensorDimensions = 8
  /// An index of as many tensors, with names of 200 bytes.
  public static let checkpointIndexBytes = 64 << 20
  /// The most shards seen are 191, of 671B parameters.
  public static let checkpointShards = 4_096
  /// `config.json` and its like; seen are up to 50 KB.
  public static let modelConfigBytes = 4 << 20
  /// What a hub says of one repository: 10,000 files at 300 bytes are 3 MB.
  public static let hubListingBytes = 16 << 20
  /// The format's specification says 65,535 bytes for a key.
  public static let ggufKeyBytes = 65_535
  /// The format's specification says 64; some builds of its library write longer ones.
  public static let ggufTensorNameBytes = 256
  /// Arrays of arrays in a GGUF file's metadata. Nobody was seen to write even two.
  public static let ggufArrayDepth = 4
  /// The largest vocabulary seen has 262,144 tokens.
  public static let tokens = 1 << 20
  /// Pairs that a byte-level vocabulary merges: two for each token at most.
  public static let merges = 1 << 21
  /// Steps of a tokenizer's normaliser, pre-tokenizer or decoder; the longest seen have eight.
  public static let tokenizerSteps = 64
  /// An expression, prefix or replacement of such a step.
  public static let tokenizerTextBytes = 1 << 16
  /// A table of replacements; that of NFKC with Japanese spaces has 240 kB.
  public static let charsmapBytes = 4 << 20
  /// The longest tokens seen are runs of some hundred spaces.
  public static let tokenBytes = 4_096
}
