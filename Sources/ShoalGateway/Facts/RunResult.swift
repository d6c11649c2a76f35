// What `run --json` prints and `/api/run` ends with. Others rely on these names
// (docs/INTERFACE.md): fields are added, never changed.

import ShoalProtocol

/// A finished generation.
public struct RunResult: Codable, Sendable, Hashable {
  /// One rank of the job.
  public struct Member: Codable, Sendable, Hashable {
    /// The peer, 64 hexadecimal digits.
    public let id: String
    /// Of the bytes that a token reads, 0...1.
    public let share: Double

    public init(id: String, share: Double) {
      self.id = id
      self.share = share
    }
  }

  public struct Timing: Codable, Sendable, Hashable {
    /// From all ranks being ready to the first token.
    public var promptSeconds = 0.0
    /// From the request to the first token, fetching of weights included.
    public var firstTokenSeconds = 0.0
    /// Of the tokens after the first.
    public var tokensPerSecond = 0.0
    /// The longest wait between two tokens.
    public var stallSecondsMax = 0.0
    /// Where the time of the tokens after the first went, at the rank that computed longest:
    /// computing, packing and sending sums, waiting for those of others.
    public var computeSeconds = 0.0
    public var exchangeSeconds = 0.0
    public var waitSeconds = 0.0
    /// Bytes of partial sums that this rank sent for them.
    public var bytesSent: UInt64 = 0

    public init() {}
  }

  public let job: String
  public let model: String
  public let manifest: String
  public let plan: String
  public let peers: [Member]
  public let promptTokens: [UInt32]
  public let tokens: [UInt32]
  public let text: String
  /// `stop` or `length`.
  public let finish: String
  /// Covers the logits of every step.
  public let digest: String
  public let timing: Timing
  /// Plans that the job ran on, one after the other: each death costs one more.
  public let terms: Int
  /// How often the client went on at another peer, since the one that it had asked was gone.
  public let resumed: Int
  /// What losses cost between two tokens, the first of them first.
  public let pauses: [Pause]
  /// Of the prompt, those that another job had computed already; nil: a peer that does not say.
  public let cachedTokens: Int?

  public init(
    job: String, model: String, manifest: String, plan: String, peers: [Member],
    promptTokens: [UInt32], tokens: [UInt32], text: String, finish: String, digest: String,
    timing: Timing, terms: Int = 1, resumed: Int = 0, pauses: [Pause] = [],
    cachedTokens: Int? = nil
  ) {
    self.job = job
    self.model = model
    self.manifest = manifest
    self.plan = plan
    self.peers = peers
    self.promptTokens = promptTokens
    self.tokens = tokens
    self.text = text
    self.finish = finish
    self.digest = digest
    self.timing = timing
    self.terms = terms
    self.resumed = resumed
    self.pauses = pauses
    self.cachedTokens = cachedTokens
  }

  /// As a client saw it that went on at other peers: each of those knows its own part only.
  ///
  /// - Parameters:
  ///   - stall: the longest wait between two tokens that the client noticed.
  ///   - resumed: nil, as `pauses`: as the result says.
  public func seen(
    stall: Duration = .zero, resumed: Int? = nil, pauses: [Pause]? = nil
  ) -> RunResult {
    var timing = timing
    timing.stallSecondsMax = max(timing.stallSecondsMax, stall.inSeconds)
    return RunResult(
      job: job, model: model, manifest: manifest, plan: plan, peers: peers,
      promptTokens: promptTokens, tokens: tokens, text: text, finish: finish, digest: digest,
      timing: timing, terms: terms, resumed: resumed ?? self.resumed,
      pauses: pauses ?? self.pauses, cachedTokens: cachedTokens)
  }
}
