// What a result says of the pauses of its stream.
import ShoalGateway
import ShoalNode
import ShoalProtocol
import Testing

@Suite struct PauseTests {
  private static func at(_ milliseconds: Int64) -> Moment {
    Moment(nanoseconds: milliseconds * 1_000_000)
  }

  /// The pauses of a stream that tells `events`, each at its millisecond.
  private static func pauses(_ events: [(Int64, GenerationEvent)]) -> [RunResult.Pause] {
    var record = RunRecord(start: at(0))
    for (moment, event) in events { record.note(event, at: at(moment)) }
    return record.result(
      GenerationOutcome(tokens: [], text: "", finish: .length, digest: FakeNode.digest)
    ).pauses
  }

  private static let token = GenerationEvent.token(
    GeneratedToken(token: 0, text: "word", logits: [], cost: .zero))
  private static let lost = GenerationEvent.interrupted(
    .peerLost(FakeNode().peer), blamed: [FakeNode().peer])
  private static let refused = GenerationEvent.interrupted(
    .busy(running: 4, limit: 4), blamed: [FakeNode().peer])
  private static func goesOn(_ term: UInt32) -> GenerationEvent {
    .continued(term: Term(term), plan: FakeNode.planID, members: [])
  }

  @Test func `a pause is detection, agreement and replay, over all terms that fell into it`() {
    let pauses = Self.pauses([
      (10, Self.token), (20, Self.token), (170, Self.lost), (200, Self.refused),
      (250, Self.goesOn(3)), (300, Self.token), (310, Self.token), (320, Self.lost),
      (330, Self.goesOn(4)), (345, Self.token),
    ])
    #expect(pauses.map(\.detectSeconds) == [0.15, 0.01])
    #expect(pauses.map(\.agreeSeconds) == [0.08, 0.01])
    #expect(pauses.map(\.replaySeconds) == [0.05, 0.015])
    #expect(pauses.map(\.reasons.count) == [2, 1])
  }

  @Test func `what goes wrong before the first token is no pause, nor is a move without loss`() {
    let pauses = Self.pauses([
      (5, Self.lost), (6, Self.goesOn(2)), (10, Self.token), (20, Self.goesOn(3)),
      (30, Self.token),
    ])
    #expect(pauses.isEmpty)
  }
}
