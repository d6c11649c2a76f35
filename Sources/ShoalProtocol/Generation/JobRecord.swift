// A job as it can be continued from: what was asked, and every token so far. What witnesses keep.

/// Enough to go on with a job after its entry is gone. Tokens are chosen by the logits, the options
/// and the position alone, so whoever continues chooses the same.
public struct JobRecord: Hashable, Sendable {
  public let job: JobID
  public let model: ModelID
  public let objective: PlanObjective
  public let order: GenerationOrder
  /// How tokens are chosen and shown, as the node above writes it.
  public let options: [UInt8]
  /// The highest term that was begun.
  public private(set) var term: Term
  /// The plan of that term.
  public private(set) var plan: PlanID
  /// Prompt, then what was chosen.
  public private(set) var log: [UInt32]
  /// The hash over the logits of all positions that were sampled.
  public private(set) var digest: Bytes32

  public init(
    job: JobID, model: ModelID, objective: PlanObjective, order: GenerationOrder, options: [UInt8]
  ) {
    self.job = job
    self.model = model
    self.objective = objective
    self.order = order
    self.options = options
    term = Term(0)
    plan = PlanID(.zero)
    log = order.prompt
    digest = .zero
  }

  /// What was chosen so far.
  public var generated: ArraySlice<UInt32> { log[order.prompt.count...] }

  /// A term has been begun.
  public mutating func begin(_ term: Term, plan: PlanID) {
    guard term > self.term else { return }
    self.term = term
    self.plan = plan
  }

  /// A token was chosen; `digest` covers its position.
  public mutating func append(_ token: UInt32, digest: Bytes32) {
    log.append(token)
    self.digest = digest
  }

  /// Takes in what followed `position`: tokens that are known already are passed over.
  public mutating func extend(_ news: JobNews) throws(WireError) {
    begin(news.term, plan: news.plan)
    let known = log.count - news.position
    guard news.position >= order.prompt.count, known >= 0 else {
      throw .invalid(field: "position of news")
    }
    guard known <= news.tokens.count else { return }
    let fresh = news.tokens[known...]
    guard log.count + fresh.count <= order.context else {
      throw .tooLong(field: "log", limit: order.context, announced: log.count + fresh.count)
    }
    guard !fresh.isEmpty else { return }
    log += fresh
    digest = news.digest
  }

  /// What was added since the log had `position` tokens.
  public func news(from position: Int) -> JobNews {
    JobNews(
      term: term, plan: plan, position: position, tokens: Array(log[min(position, log.count)...]),
      digest: digest)
  }

  /// Bytes that a witness sets aside for it.
  var byteCount: Int { 256 + options.count + 4 * (order.prompt.count + log.count) }
}

/// What a witness hears while a job runs.
public struct JobNews: Hashable, Sendable {
  public let term: Term
  public let plan: PlanID
  /// Where `tokens` begin in the log.
  public let position: Int
  public let tokens: [UInt32]
  /// After the last of them.
  public let digest: Bytes32

  public init(term: Term, plan: PlanID, position: Int, tokens: [UInt32], digest: Bytes32) {
    self.term = term
    self.plan = plan
    self.position = position
    self.tokens = tokens
    self.digest = digest
  }
}
