// How many rows of prompts a step may take where streams wait beside it.

/// Learns what a row takes, so that a prompt of any length keeps streams waiting for about
/// `Limits.laneStep` at a time.
public struct PromptBudget: Sendable, Hashable {
  /// Of steps with prompts in them; nil before there was one.
  private var perRow: Duration?

  /// Before anything is known, and in any case: fewer rows hardly take less.
  static let least = 8
  static let first = 32

  public init() {}

  /// A step of so many rows took so long.
  public mutating func note(rows: Int, took: Duration) {
    guard rows >= Self.least else { return }
    let latest = took / rows
    perRow = perRow.map { ($0 * 3 + latest) / 4 } ?? latest
  }

  /// Rows of prompts beside `streams` rows of streams, in a step of at most `batch` rows.
  public func rows(beside streams: Int, batch: Int) -> Int {
    let room = batch - streams
    guard streams > 0 else { return room }
    guard let perRow, perRow > .zero else { return min(room, Self.first) }
    let fitting = Int(clamping: Limits.laneStep.nanoseconds / max(1, perRow.nanoseconds))
    return min(room, max(Self.least, fitting - streams))
  }
}
