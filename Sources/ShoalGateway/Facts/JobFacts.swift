// One element of `jobs --json` and of `GET /api/jobs`.

/// A generation that was asked for here and has not ended. Nothing of its text, and of its id only
/// the beginning: whoever knows the whole id may go on with the job.
public struct JobFacts: Codable, Sendable, Hashable {
  /// Eight hexadecimal digits; empty before its ranks are ready.
  public var id = ""
  public var model: String
  /// `waiting` in the queue, `starting`, or `running`.
  public var state = "waiting"
  /// Since it was asked for.
  public var seconds = 0.0
  public var promptTokens = 0
  public var tokens = 0
  /// Of the tokens after the first; 0 before the second.
  public var tokensPerSecond = 0.0
  public var peers: [RunResult.Member] = []
  /// Plans that it ran on, one after the other.
  public var terms = 0

  public init(model: String) { self.model = model }
}
