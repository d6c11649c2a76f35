// The times of one generation, gathered as its tokens come.

public import ShoalProtocol

/// Times the tokens of one generation.
public struct TokenTimes: Sendable {
  private let start: Moment
  private var promptStart: Moment
  private var first: Moment?
  private var last: Moment?
  private var count = 0
  private var longestGap = Duration.zero
  private var cost = StepCost.zero

  /// - Parameter start: when the generation was asked for.
  public init(start: Moment) {
    self.start = start
    promptStart = start
  }

  /// All ranks have what they need and begin with the prompt.
  public mutating func ready(at moment: Moment) { promptStart = moment }

  public mutating func token(at moment: Moment, cost step: StepCost) {
    if let last {
      longestGap = max(longestGap, moment - last)
      cost.compute += step.compute
      cost.exchange += step.exchange
      cost.wait += step.wait
      cost.bytesSent += step.bytesSent
    }
    if first == nil { first = moment }
    last = moment
    count += 1
  }

  public var timing: RunResult.Timing {
    var timing = RunResult.Timing()
    guard let first, let last else { return timing }
    let seconds = (last - first).inSeconds
    timing.promptSeconds = (first - promptStart).inSeconds
    timing.firstTokenSeconds = (first - start).inSeconds
    timing.tokensPerSecond = seconds > 0 ? Double(count - 1) / seconds : 0
    timing.stallSecondsMax = longestGap.inSeconds
    timing.computeSeconds = Double(cost.compute) / 1e9
    timing.exchangeSeconds = Double(cost.exchange) / 1e9
    timing.waitSeconds = Double(cost.wait) / 1e9
    timing.bytesSent = cost.bytesSent
    return timing
  }
}
