// Puts together the result of a generation from its events and its outcome.

import ShoalLedger
public import ShoalNode
public import ShoalProtocol

/// Notes what a generation tells, and when.
public struct RunRecord: Sendable {
  private var times: TokenTimes
  private var job = ""
  private var model = ""
  private var manifest = ""
  private var plan = ""
  private var members: [RunResult.Member] = []
  private var terms = 1
  private var pauses = PauseWatch()
  public private(set) var promptTokens: [UInt32] = []

  /// - Parameter start: when the generation was asked for.
  public init(start: Moment) { times = TokenTimes(start: start) }

  public mutating func note(_ event: GenerationEvent, at moment: Moment) {
    switch event {
    case .fetching, .witnesses: break
    case .started(let job, let model, let plan, let members, let promptTokens):
      times.ready(at: moment)
      self.job = job.raw.hex
      self.model = model.name
      manifest = model.model.raw.hex
      self.plan = plan.raw.hex
      self.members = members.map { RunResult.Member($0) }
      self.promptTokens = promptTokens
    case .token(let token):
      times.token(at: moment, cost: token.cost)
      pauses.token(at: moment)
    case .interrupted(let failure, _):
      pauses.lost(failure.description, at: moment)
    case .continued(_, let plan, let members):
      terms += 1
      pauses.ready(at: moment)
      self.plan = plan.raw.hex
      self.members = members.map { RunResult.Member($0) }
    }
  }

  public func result(_ outcome: GenerationOutcome) -> RunResult {
    RunResult(
      job: job, model: model, manifest: manifest, plan: plan, peers: members,
      promptTokens: promptTokens, tokens: outcome.tokens, text: outcome.text,
      finish: outcome.finish.rawValue, digest: outcome.digest.hex, timing: times.timing,
      terms: terms, pauses: pauses.pauses, cachedTokens: outcome.sharedTokens)
  }
}
