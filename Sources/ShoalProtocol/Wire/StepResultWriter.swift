// The result of a step, written vote by vote into the frame that will carry it: the same bytes as
// `JobMessage.result`, without the message in between.

/// Writes one result. Votes come in the order in which they are to be read.
public struct StepResultWriter {
  private var writer: RawWriter

  /// Before the votes: tag, sequence, four parts of the cost, count.
  private static let headBytes = 1 + 4 + 4 * 8 + 4
  private static let costOffset = 5
  /// Of a vote without candidates and logits.
  private static let voteBytes = 4 * 4 + 32 + 2 * 4

  /// The room that a result needs.
  public static func capacity(votes: Int, candidates: Int, logits: Int) -> Int {
    headBytes + votes * voteBytes + candidates * 8 + logits * 4
  }

  /// - Parameter votes: how many calls of `vote` follow.
  public init(_ room: UnsafeMutableRawBufferPointer, sequence: UInt32, votes: Int) {
    unsafe writer = RawWriter(room)
    writer.integer(JobMessage.resultTag)
    writer.integer(sequence)
    for _ in 0..<4 { writer.integer(UInt64(0)) }
    writer.integer(UInt32(votes))
  }

  /// - Parameter slice: all logits of the block where they were asked for, else empty.
  public mutating func vote(
    block: Int, row: Int, maximum: Float, exponentials: Float, hash: Bytes32,
    candidates: ArraySlice<TokenCandidate>, slice: UnsafeBufferPointer<Float>
  ) {
    writer.integer(UInt32(block))
    writer.integer(UInt32(row))
    writer.integer(maximum.bitPattern)
    writer.integer(exponentials.bitPattern)
    writer.bytes32(hash)
    writer.integer(UInt32(candidates.count))
    for candidate in candidates {
      writer.integer(candidate.token)
      writer.integer(candidate.logit.bitPattern)
    }
    unsafe writer.floats(slice)
  }

  /// What the step took, known last. Returns the bytes of the whole result.
  public func finish(_ cost: StepCost) -> Int {
    writer.set(cost.compute, at: Self.costOffset)
    writer.set(cost.wait, at: Self.costOffset + 8)
    writer.set(cost.exchange, at: Self.costOffset + 16)
    writer.set(cost.bytesSent, at: Self.costOffset + 24)
    return writer.count
  }
}
