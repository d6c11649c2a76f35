// A follower's state on disk.

internal import ShoalLedger
public import ShoalProtocol

extension FollowerState {
  private static let format: UInt8 = 1
  private static let recentLimit = 1 << 16

  public var bytes: [UInt8] {
    var writer = ByteWriter()
    writer.integer(Self.format)
    writer.integer(checkpoint.anchor)
    writer.flag(checkpoint.anchorHash != nil)
    if let hash = checkpoint.anchorHash { writer.raw(hash.bytes) }
    writer.list(checkpoint.recent) { writer, recent in
      writer.integer(recent.block.number)
      writer.raw(recent.block.hash.bytes)
      writer.raw(recent.block.parent.bytes)
      writer.list(recent.logs) { $1.write(to: &$0) }
    }
    writer.list(logs) { $1.write(to: &$0) }
    return writer.bytes
  }

  public init(bytes: [UInt8]) throws(WireError) {
    var reader = ByteReader(bytes)
    let format = try reader.integer(UInt8.self)
    guard format == Self.format else {
      throw .unknown(field: "follower format", value: UInt64(format))
    }
    let anchor = try reader.integer(UInt64.self)
    let hash = try reader.flag("anchor hash") ? try reader.bytes32() : nil
    let recent = try reader.list("blocks", limit: Self.recentLimit) { reader throws(WireError) in
      let block = ChainBlock(
        number: try reader.integer(), hash: try reader.bytes32(), parent: try reader.bytes32())
      let logs = try reader.list("logs", limit: ChainListener.logLimit) {
        reader throws(WireError) in
        try ChainLog(from: &reader)
      }
      return ChainListener.Recent(block: block, logs: logs)
    }
    let logs = try reader.list("logs", limit: Self.logLimit) { reader throws(WireError) in
      try ChainLog(from: &reader)
    }
    try reader.finish()
    self.init(
      checkpoint: ChainListener.Checkpoint(anchor: anchor, anchorHash: hash, recent: recent),
      logs: logs)
  }
}

extension ChainLog {
  /// What a log of this program's contracts may carry.
  private static let dataLimit = 1 << 16

  func write(to writer: inout ByteWriter) {
    writer.raw(address.bytes)
    writer.list(topics) { $0.raw($1.bytes) }
    writer.blob(data)
    writer.integer(block)
    writer.raw(blockHash.bytes)
    writer.raw(transaction.bytes)
    writer.integer(index)
  }

  init(from reader: inout ByteReader) throws(WireError) {
    guard let address = EthereumAddress(try reader.take(20)) else {
      throw .invalid(field: "address")
    }
    self.init(
      address: address,
      topics: try reader.list("topics", limit: 4) { reader throws(WireError) in
        try reader.bytes32()
      },
      data: try reader.blob("data", limit: Self.dataLimit), block: try reader.integer(),
      blockHash: try reader.bytes32(), transaction: try reader.bytes32(),
      index: try reader.integer())
  }
}
