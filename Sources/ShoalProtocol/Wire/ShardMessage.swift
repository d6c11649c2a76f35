// Questions about stored blobs and their answers: how a peer that lacks a model comes by its atoms.

public enum ShardMessage: Hashable, Sendable {
  /// Which of these blobs do you hold?
  case have([BlobID])
  /// Bytes of one blob from `offset`, at most `length` of them.
  case read(BlobID, offset: UInt64, length: UInt32)
  /// One answer for each blob that was asked for, in order.
  case held([Bool])
  /// Bytes from the offset that was asked for. `total` is the whole blob's length.
  case bytes(total: UInt64, [UInt8])
  /// Not here.
  case absent
  /// Which of these blobs do you hold, and promise to keep for `Limits.promiseLife`? Answered by
  /// `held`.
  case keep([BlobID])

  /// How many blobs one question may name.
  public static let questionLimit = 16_384
  /// The longest run of bytes of one answer.
  public static let chunkBytes = 1 << 20

  public var bytes: [UInt8] {
    var writer = ByteWriter()
    switch self {
    case .have(let blobs):
      writer.integer(UInt8(1))
      writer.list(blobs) { $0.id($1) }
    case .read(let blob, let offset, let length):
      writer.integer(UInt8(2))
      writer.id(blob)
      writer.integer(offset)
      writer.integer(length)
    case .held(let answers):
      writer.integer(UInt8(3))
      writer.list(answers) { $0.flag($1) }
    case .bytes(let total, let chunk):
      writer.integer(UInt8(4))
      writer.integer(total)
      writer.blob(chunk)
    case .absent:
      writer.integer(UInt8(5))
    case .keep(let blobs):
      writer.integer(UInt8(6))
      writer.list(blobs) { $0.id($1) }
    }
    return writer.bytes
  }

  public init(bytes: [UInt8]) throws(WireError) {
    var reader = ByteReader(bytes)
    let tag = try reader.integer(UInt8.self)
    switch tag {
    case 1:
      self = .have(
        try reader.list("blobs", limit: Self.questionLimit) { reader throws(WireError) in
          try reader.id()
        })
    case 2:
      self = .read(try reader.id(), offset: try reader.integer(), length: try reader.integer())
    case 3:
      self = .held(
        try reader.list("answers", limit: Self.questionLimit) { reader throws(WireError) in
          try reader.flag("held")
        })
    case 4:
      self = .bytes(
        total: try reader.integer(), try reader.blob("chunk", limit: Self.chunkBytes))
    case 5: self = .absent
    case 6:
      self = .keep(
        try reader.list("blobs", limit: Self.questionLimit) { reader throws(WireError) in
          try reader.id()
        })
    case _: throw .unknown(field: "shard message", value: UInt64(tag))
    }
    try reader.finish()
  }
}
