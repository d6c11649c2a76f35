// The lines of `POST /api/run`: what a generation tells while it runs, one JSON object each, whose
// only key names the event.

import ShoalLedger
public import ShoalNode
public import ShoalProtocol

public enum RunEvent: Codable, Sendable, Hashable {
  /// Seconds of one token at the rank that computed longest.
  public struct Cost: Codable, Sendable, Hashable {
    public let compute: Double
    /// Packing and sending sums.
    public let exchange: Double
    /// For the sums of others.
    public let wait: Double

    public init(_ cost: StepCost) {
      compute = Double(cost.compute) / 1e9
      exchange = Double(cost.exchange) / 1e9
      wait = Double(cost.wait) / 1e9
    }
  }

  /// A rank still fetches weights that the plan gave it.
  case fetching(peer: String, remainingBytes: UInt64, totalBytes: UInt64)
  /// All ranks are ready.
  case started(
    job: String, model: String, manifest: String, plan: String, peers: [RunResult.Member],
    promptTokens: [UInt32])
  /// `text` holds the characters that became whole with it; it may be empty.
  case token(token: UInt32, text: String, cost: Cost)
  /// A plan did not come to the job's end, since these peers were lost or refused. Others take up
  /// their part, unless the job fails.
  case interrupted(reason: String, peers: [String])
  /// Others have taken up the part of a lost peer. The next token follows the last one.
  case continued(term: UInt32, plan: String, peers: [RunResult.Member])
  /// APIs of peers where `POST /api/resume` goes on with the job, should this one go away.
  case witnesses(addresses: [String])
  /// Comes all the time, so that a client hears that the peer lives.
  case waiting
  case finished(result: RunResult)
  case failed(error: ErrorFacts)

  init(_ event: GenerationEvent) {
    switch event {
    case .fetching(let peer, let remaining, let total):
      self = .fetching(
        peer: peer.raw.hex, remainingBytes: remaining.bytes, totalBytes: total.bytes)
    case .started(let job, let model, let plan, let members, let promptTokens):
      self = .started(
        job: job.raw.hex, model: model.name, manifest: model.model.raw.hex, plan: plan.raw.hex,
        peers: members.map { RunResult.Member($0) }, promptTokens: promptTokens)
    case .token(let token):
      self = .token(token: token.token, text: token.text, cost: Cost(token.cost))
    case .interrupted(let failure, let blamed):
      self = .interrupted(reason: failure.description, peers: blamed.map(\.raw.hex))
    case .continued(let term, let plan, let members):
      self = .continued(
        term: term.value, plan: plan.raw.hex, peers: members.map { RunResult.Member($0) })
    case .witnesses(let apis):
      self = .witnesses(addresses: apis.map(\.description))
    }
  }
}

extension RunResult.Member {
  public init(_ member: JobMember) {
    self.init(id: member.peer.raw.hex, share: Double(member.sharePerMille) / 1_000)
  }
}
