// What a frame on a stream holds, and how long each kind may be: checked before anything is read.

/// The type byte of a frame (docs/PROTOCOL.md).
public enum FrameType: UInt8, Sendable, CaseIterable {
  /// The first frame of a stream: what the stream is for.
  case hello = 1
  /// Between the entry of a job and one rank.
  case job = 2
  /// Between two ranks: one packed partial sum.
  case partial = 3
  /// A question about stored blobs, or its answer.
  case shard = 4
  /// Between the driver of a job and a peer that keeps its log.
  case witness = 5

  /// The last frame of a stream: another may begin on the same connection.
  case end = 6

  /// Between ranks of neighbouring stages: columns of the hidden state.
  case handover = 7

  /// Bytes of a stream that a third peer carries, sealed by the two that it is between.
  case relay = 8

  /// The longest payload that is believed, in bytes.
  public var limit: Int {
    switch self {
    case .hello: 512
    // A prompt of the longest context as ids, or the records of a full mesh.
    case .job: 64 << 20
    // 512 tokens of a model 16,384 wide at 8 bytes an element, and headers.
    case .partial: 80 << 20
    // 512 tokens of a model 16,384 wide at 4 bytes an element, and a header.
    case .handover: 40 << 20
    case .shard: 2 << 20
    // Prompt and log of the longest context, and options.
    case .witness: 10 << 20
    case .relay: Limits.relayPieceBytes
    case .end: 0
    }
  }
}

/// The first frame that the connecting side sends.
public enum StreamHello: Hashable, Sendable {
  /// The sender asks for blobs.
  case shard
  /// The sender drives a job.
  case job(JobID)
  /// The sender is rank `rank` of a job; partial sums follow.
  case partials(JobID, Term, rank: Int)
  /// The sender drives a job; its log follows.
  case witness(JobID)
  /// The sender was asked to dial: the number that it was given. The next stream is the other's.
  case called(UInt64)
  /// What follows is to be carried to that peer.
  case relay(to: PeerID)
  /// What follows comes from that peer, through the sender.
  case relayed(from: PeerID)

  public var bytes: [UInt8] {
    var writer = ByteWriter()
    switch self {
    case .shard: writer.integer(UInt8(0))
    case .job(let job):
      writer.integer(UInt8(1))
      writer.id(job)
    case .partials(let job, let term, let rank):
      writer.integer(UInt8(2))
      writer.id(job)
      writer.integer(term.value)
      writer.integer(UInt16(rank))
    case .witness(let job):
      writer.integer(UInt8(3))
      writer.id(job)
    case .called(let number):
      writer.integer(UInt8(4))
      writer.integer(number)
    case .relay(let target):
      writer.integer(UInt8(5))
      writer.id(target)
    case .relayed(let source):
      writer.integer(UInt8(6))
      writer.id(source)
    }
    return writer.bytes
  }

  public init(bytes: [UInt8]) throws(WireError) {
    var reader = ByteReader(bytes)
    let tag = try reader.integer(UInt8.self)
    switch tag {
    case 0: self = .shard
    case 1: self = .job(try reader.id())
    case 2:
      self = .partials(
        try reader.id(), Term(try reader.integer()), rank: Int(try reader.integer(UInt16.self)))
    case 3: self = .witness(try reader.id())
    case 4: self = .called(try reader.integer())
    case 5: self = .relay(to: try reader.id())
    case 6: self = .relayed(from: try reader.id())
    case _: throw .unknown(field: "stream class", value: UInt64(tag))
    }
    try reader.finish()
  }
}
