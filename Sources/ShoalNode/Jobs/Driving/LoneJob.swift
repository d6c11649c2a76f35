// A lane of one job that nobody joins: a generation inside one process.

internal import ShoalProtocol

struct LoneJob: LaneJobs {
  private static let seat = SeatID(0)
  private var coming: GenerationSession?
  private let choose: ([VocabularyVote], StepCost) throws -> GenerationRunner.Choice
  private var result: Result<FinishReason, any Error>?

  init(
    _ session: GenerationSession,
    choose: @escaping ([VocabularyVote], StepCost) throws -> GenerationRunner.Choice
  ) {
    coming = session
    self.choose = choose
  }

  /// Once the lane has closed.
  func outcome() throws -> FinishReason {
    guard let result else { throw JobFailure.cancelled }
    return try result.get()
  }

  mutating func news() -> [BatchSession.Event] {
    defer { coming = nil }
    return coming.map { [.joined(Self.seat, $0, user: "")] } ?? []
  }

  mutating func choose(
    _ seat: SeatID, _ votes: [VocabularyVote], _ cost: StepCost, rows: Int
  ) -> GenerationRunner.Choice? {
    do {
      return try choose(votes, cost)
    } catch {
      result = .failure(error)
      return nil
    }
  }

  mutating func began(_ seat: SeatID) {}
  mutating func shared(_ seat: SeatID, positions: Int) {}
  mutating func finished(_ seat: SeatID, _ reason: FinishReason) { result = .success(reason) }
  mutating func rest(until deadline: Moment) {}
  mutating func close() -> Bool { coming == nil }
}
