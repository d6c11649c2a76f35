// The seam to whoever writes down what happens at a peer. Events carry ids and numbers: no text of
// a prompt or an answer, no key, nothing that a client wrote.

public import ShoalLedger
public import ShoalProtocol

/// What the operator of a peer may want to know afterwards.
public enum NodeEvent: Hashable, Sendable {
  case joined(PeerID, at: Endpoint)
  case lost(PeerID)
  /// Plans are made from this view now.
  case view(ViewID, peers: Int)
  case name(RegistryEvent)
  case job(JobEvent)
  /// It takes no more jobs.
  case leaving
}

/// What becomes of a job that this peer drives. Whoever knows a job's id may go on with it, so
/// events name a job by its first digits alone; empty: it has none yet.
public enum JobEvent: Hashable, Sendable {
  case started(String, model: String, peers: Int, promptTokens: Int)
  /// A term broke, and who is to blame for it.
  case interrupted(String, JobFailure, blamed: [PeerID])
  /// It goes on in another term: after a break, or since another plan is better.
  case continued(String, term: UInt32, peers: Int)
  case ended(String, tokens: Int, FinishReason)
  case failed(String, JobTrouble)
}

/// Why a job brought no more tokens.
public enum JobTrouble: Hashable, Sendable {
  /// Its client went.
  case cancelled
  case failure(JobFailure)
  case plan(PlanError)
  /// The request was none that can be served; its client was told why.
  case refused
}

/// Takes events in order; never waits.
public typealias Journal = @Sendable (NodeEvent) -> Void
