// The lines of `POST /api/run`: what a generation tells while it runs, one JSON object each, whose
// only key names the event.

import ShoalLedger
public import ShoalNode
import ShoalProtocol

public enum RunEvent: Codable, Sendable, Hashable {
  /// A rank still fetches weights that the plan gave it.
  case fetching(peer: String, remainingBytes: UInt64, totalBytes: UInt64)
  /// All ranks are ready.
  case started(
    job: String, model: String, manifest: String, plan: String, peers: [RunResult.Member],
    promptTokens: [UInt32])
  /// `text` holds the characters that became whole with it; it may be empty.
  case token(token: UInt32, text: String)
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
      self = .token(token: token.token, text: token.text)
    }
  }
}

extension RunResult.Member {
  public init(_ member: JobMember) {
    self.init(id: member.peer.raw.hex, share: Double(member.sharePerMille) / 1_000)
  }
}
