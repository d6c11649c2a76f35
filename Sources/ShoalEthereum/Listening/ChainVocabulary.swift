// What a listener hears of a chain.

public import ShoalLedger
public import ShoalProtocol

/// One log of a contract.
public struct ChainLog: Hashable, Sendable {
  public let address: EthereumAddress
  public let topics: [Bytes32]
  public let data: [UInt8]
  public let block: UInt64
  public let blockHash: Bytes32
  public let transaction: Bytes32
  /// Of all logs of the block.
  public let index: UInt64

  public init(
    address: EthereumAddress, topics: [Bytes32], data: [UInt8], block: UInt64, blockHash: Bytes32,
    transaction: Bytes32, index: UInt64
  ) {
    self.address = address
    self.topics = topics
    self.data = data
    self.block = block
    self.blockHash = blockHash
    self.transaction = transaction
    self.index = index
  }
}

/// What matters of a block.
public struct ChainBlock: Hashable, Sendable {
  public let number: UInt64
  public let hash: Bytes32
  public let parent: Bytes32

  public init(number: UInt64, hash: Bytes32, parent: Bytes32) {
    (self.number, self.hash, self.parent) = (number, hash, parent)
  }
}

/// What happened to a log.
public enum ChainEvent: Hashable, Sendable {
  case seen(ChainLog)
  /// Its block is no longer on the chain. Told newest first.
  case undone(ChainLog)
  /// So many blocks follow that it counts for good.
  case final(ChainLog)
}

/// What a listener asks a node for.
public enum ChainQuestion: Hashable, Sendable {
  /// The number of the newest block.
  case head
  case block(UInt64)
  /// Logs of the contracts listened to, in blocks that are final.
  case logs(ClosedRange<UInt64>)
  /// The same of one block, by its hash, so that a reorganisation in between cannot mix branches.
  case logsOf(Bytes32)
}

public enum ChainAnswer: Hashable, Sendable {
  case head(UInt64)
  /// Nil: there is no such block.
  case block(ChainBlock?)
  case logs([ChainLog])
  /// The node answers no range so long, or with so many logs.
  case rangeTooLong
  /// It knows no block of this hash, or none any more.
  case unknownBlock
  /// It is not reached, busy, or talks nonsense.
  case unavailable
}

/// Why a listener will not go on by itself.
public enum ListenerHalt: Error, Hashable, Sendable {
  /// A block that counted as final is another now: whatever was done for its logs stands on sand.
  case finalBlockChanged(number: UInt64, was: Bytes32, is: Bytes32?)
}
