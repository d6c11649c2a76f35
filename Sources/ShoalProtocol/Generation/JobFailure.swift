// Why a job ended badly: who, what, and the numbers.

/// Why a job cannot go on, or cannot begin. Carried between peers; each case has its numbers.
public enum JobFailure: Error, Hashable, Sendable {
  case unknownModel(ModelID)
  case planDiffers(mine: PlanID, yours: PlanID)
  case notInPlan
  case recordRefused(PeerID)
  case noMemory(needed: UInt64, available: UInt64)
  case missingAtoms(count: Int)
  /// Who may hold atoms that a rank lacks did not answer.
  case holdersSilent(atoms: Int, holders: Int)
  /// A peer cannot keep what its part of the plan needs.
  case diskFull(PeerID, needed: UInt64, available: UInt64)
  /// A peer's disk failed otherwise, with this error number of its system.
  case diskFailed(PeerID, code: UInt32)
  case damagedAtom(BlobID)
  /// A peer's program cannot run the model that the others run.
  case modelRefused(PeerID)
  case staleTerm(mine: Term, yours: Term)
  case peerLost(PeerID)
  case deadline(PeerID, milliseconds: Int)
  case protocolViolation(PeerID, WireError)
  case numericRange(layer: Int)
  case contextFull(limit: Int)
  case busy(running: Int, limit: Int)
  /// A peer asks more for its work than it is offered, for 2^20 multiply-accumulates.
  case unpaid(asked: UInt64, offered: UInt64)
  /// A peer has worked for more than it lends.
  case creditExhausted(owed: UInt64, limit: UInt64)
  /// A peer computed what is not so, or claims pay for what it did not do.
  case dishonest(PeerID)
  /// A peer that says goodbye takes no further step.
  case leaving
  case cancelled
  /// A peer failed in a way that none of these names: its system refused a thread, say.
  case unexplained(PeerID)
}

extension JobFailure: CustomStringConvertible {
  /// One sentence for a person.
  public var description: String {
    switch self {
    case .unknownModel(let model): "a peer cannot get the model \(model)"
    case .planDiffers(let mine, let yours):
      "the peers see different meshes (plan \(mine) here, \(yours) there); try again"
    case .notInPlan: "a peer is not in the plan that it was shown"
    case .recordRefused(let peer): "the record of \(peer) is out of date; try again"
    case .noMemory(let needed, let available):
      "a peer needs \(ByteCount(needed)) and may use \(ByteCount(available))"
    case .missingAtoms(let count): "\(count) atoms of the model are held by nobody who answers"
    case .holdersSilent(let atoms, let holders):
      "\(atoms) atoms of the model may be held by \(holders) peers that do not answer"
    case .diskFull(let peer, let needed, let available):
      "the disk of the peer \(peer) is full: it needs \(ByteCount(needed)) more, "
        + "\(ByteCount(available)) are free"
    case .diskFailed(let peer, let code):
      "the disk of the peer \(peer) failed (error \(code) of its system)"
    case .damagedAtom(let blob): "the atom \(blob) is damaged on a peer's disk"
    case .modelRefused(let peer):
      "the program of the peer \(peer) cannot run this model: is it another version?"
    case .staleTerm(let mine, let yours):
      "a step of attempt \(yours.value) came after attempt \(mine.value) had begun"
    case .peerLost(let peer): "the peer \(peer) was lost"
    case .deadline(let peer, let milliseconds):
      "the peer \(peer) said nothing for \(milliseconds) ms"
    case .protocolViolation(let peer, let error):
      "the peer \(peer) sent what it must not: \(error)"
    case .numericRange(let layer): "a number left its range in layer \(layer)"
    case .contextFull(let limit): "the context of \(limit) tokens is full"
    case .busy(let running, let limit): "a peer runs \(running) jobs already, at most \(limit)"
    case .unpaid(let asked, let offered):
      "a peer asks \(asked) for 2^20 multiply-accumulates and is offered \(offered)"
    case .creditExhausted(let owed, let limit):
      "a peer is owed \(owed) and lends \(limit): it waits to be paid"
    case .dishonest(let peer): "the peer \(peer) was caught: what it computed or claims is not so"
    case .leaving: "a peer is leaving the mesh"
    case .cancelled: "the job was cancelled"
    case .unexplained(let peer): "the peer \(peer) could not go on, for a reason of its system"
    }
  }
}
