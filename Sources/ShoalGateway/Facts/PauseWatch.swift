// Takes the pauses of a stream apart: how long until a loss was noticed, until others were ready,
// until the next token.

import ShoalProtocol

extension RunResult {
  /// What a loss cost between two tokens.
  public struct Pause: Codable, Sendable, Hashable {
    /// From the last token to the word that a term had ended, or to the client turning away.
    public var detectSeconds = 0.0
    /// From there until all ranks of the term that bore fruit were ready: plans, streams, PREPARE.
    public var agreeSeconds = 0.0
    /// From there to the next token: what is known so far is computed again.
    public var replaySeconds = 0.0
    /// Why each term ended that fell into the pause.
    public var reasons: [String] = []

    public init() {}
  }
}

/// A value that hears what a stream tells, and when.
struct PauseWatch: Sendable {
  private struct Opened: Sendable {
    let since: Moment
    let lost: Moment
    var ready: Moment?
    var reasons: [String]
  }

  private(set) var pauses: [RunResult.Pause] = []
  private var lastToken: Moment?
  private var opened: Opened?

  /// A stream that is lost more often than that keeps the first of them.
  private static let most = 256

  /// A term ended before the job did. Before the first token nobody has been kept waiting between
  /// two.
  mutating func lost(_ reason: String, at moment: Moment) {
    guard let since = lastToken else { return }
    var pause = opened ?? Opened(since: since, lost: moment, reasons: [])
    pause.reasons.append(reason)
    pause.ready = nil
    opened = pause
  }

  /// All ranks of a term are ready.
  mutating func ready(at moment: Moment) { opened?.ready = moment }

  mutating func token(at moment: Moment) {
    defer { (lastToken, opened) = (moment, nil) }
    guard let opened, pauses.count < Self.most else { return }
    // A word that came too late to be told apart counts as no time.
    let ready = opened.ready ?? opened.lost
    var pause = RunResult.Pause()
    pause.detectSeconds = (opened.lost - opened.since).inSeconds
    pause.agreeSeconds = (ready - opened.lost).inSeconds
    pause.replaySeconds = (moment - ready).inSeconds
    pause.reasons = opened.reasons
    pauses.append(pause)
  }
}
