// What `run --json` prints. Others rely on these names.

import ShoalNode
import ShoalProtocol

struct RunResult: Encodable, Sendable {
  struct Member: Encodable, Sendable {
    let id: String
    /// Of the work, 0...1.
    let share: Double
  }
  struct Timing: Encodable, Sendable {
    var promptSeconds = 0.0
    var firstTokenSeconds = 0.0
    var tokensPerSecond = 0.0
    var stallSecondsMax = 0.0
  }

  let job: String
  let model: String
  let manifest: String
  let plan: String
  let peers: [Member]
  let promptTokens: [UInt32]
  let tokens: [UInt32]
  let text: String
  let finish: String
  let digest: String
  let timing: Timing
}

/// Times the tokens of one generation as they come.
struct TokenTimes {
  private let start: Moment
  private var moments: [Moment] = []

  init(start: Moment) { self.start = start }

  mutating func token(at moment: Moment) { moments.append(moment) }

  var timing: RunResult.Timing {
    guard let first = moments.first, let last = moments.last else { return .init() }
    let gaps = zip(moments.dropFirst(), moments).map { ($0 - $1).inSeconds }
    let total = (last - first).inSeconds
    return RunResult.Timing(
      promptSeconds: (first - start).inSeconds, firstTokenSeconds: (first - start).inSeconds,
      tokensPerSecond: total > 0 ? Double(moments.count - 1) / total : 0,
      stallSecondsMax: gaps.max() ?? 0)
  }
}
