// The data path's own ways to read a step and to write a result: the same bytes as the messages that
// everybody else reads.

import ShoalProtocol
import Testing

@Suite struct StepDataPathTests {
  private static let votes = [
    VocabularyVote(
      block: 3, row: 0, maximum: 2.5, exponentials: 1.25, hash: SessionNames.bytes(8),
      candidates: [TokenCandidate(token: 9, logit: 2.5), TokenCandidate(token: 4, logit: -1)],
      slice: [2.5, -.infinity, 0]),
    VocabularyVote(
      block: 4, row: 0, maximum: -.infinity, exponentials: 0, hash: .zero, candidates: [],
      slice: []),
  ]
  private static let cost = StepCost(compute: 1, wait: 2, exchange: 1 << 40, bytesSent: 9)

  @Test func `a result written vote by vote is the message`() throws {
    let room = StepResultWriter.capacity(votes: 2, candidates: 2, logits: 3)
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: room) { buffer, count in
      var writer = unsafe StepResultWriter(
        UnsafeMutableRawBufferPointer(buffer), sequence: 7, votes: Self.votes.count)
      for vote in Self.votes {
        unsafe vote.slice.withUnsafeBufferPointer { slice in
          unsafe writer.vote(
            block: vote.block, row: vote.row, maximum: vote.maximum,
            exponentials: vote.exponentials, hash: vote.hash, candidates: vote.candidates[...],
            slice: slice)
        }
      }
      count = writer.finish(Self.cost)
    }
    let message = JobMessage.result(sequence: 7, votes: Self.votes, cost: Self.cost)
    #expect(bytes == message.bytes)
    #expect(bytes.count == room)
    #expect(try JobMessage(bytes: bytes) == message)
  }

  @Test func `a step is read into the memory of the last`() throws {
    var step = BatchStep()
    for (position, tokens) in [(0, [1, 2, 3]), (3, [4]), (4, [5, 6])] as [(Int, [UInt32])] {
      let span = StepSpan(
        slot: 3, position: position, count: tokens.count, context: 64, logits: .last,
        slices: false, candidates: 40)
      let sent = BatchStep(
        term: Term(2), sequence: 7, closed: position == 3 ? [1, 2] : [], spans: [span],
        tokens: tokens)
      #expect(try step.read(message: JobMessage.step(sent).bytes))
      #expect(step == sent)
    }
  }

  @Test func `another message is no step, and a damaged step is refused`() throws {
    var step = BatchStep()
    #expect(try !step.read(message: JobMessage.finish.bytes))
    #expect(try !step.read(message: []))
    let bytes = JobMessage.step(JobMessageTests.step).bytes
    for length in 1..<bytes.count {
      #expect(throws: WireError.self) { try step.read(message: Array(bytes.prefix(length))) }
    }
    #expect(throws: WireError.trailing(bytes: 1)) { try step.read(message: bytes + [0]) }
  }
}
