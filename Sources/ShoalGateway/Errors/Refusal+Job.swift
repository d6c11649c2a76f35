// The sentences for jobs that could not begin or go on.

import HTTPTypes
import ShoalProtocol

extension Refusal {
  init(_ failure: JobFailure) {
    self =
      switch failure {
      case .unknownModel(let model):
        .unavailable("a peer does not know model \(model.short)", code: "model_not_found")
      case .planDiffers(let mine, let yours):
        .unavailable(
          "peers computed different plans (\(mine.short), \(yours.short)): try again",
          code: "plan_differs")
      case .notInPlan: .unavailable("a peer has no part in the plan", code: "plan_differs")
      case .recordRefused(let peer):
        .unavailable("the record of peer \(peer.short) was refused", code: "record_refused")
      case .noMemory(let needed, let available):
        .unavailable(
          "a peer needs \(ByteCount(needed)) and has \(ByteCount(available))", code: "no_memory")
      case .missingAtoms(let count):
        .unavailable("\(count) atoms could not be fetched", code: "missing_atoms")
      case .holdersSilent(let atoms, let holders):
        .unavailable(
          "\(atoms) atoms could not be fetched: \(holders) peers that may hold them are silent",
          code: "holders_silent")
      case .diskFull(let peer, let needed, let available):
        .unavailable(
          "the disk of peer \(peer.short) is full: it needs \(ByteCount(needed)) more and has "
            + "\(ByteCount(available))", code: "disk_full")
      case .diskFailed(let peer, let code):
        .unavailable("the disk of peer \(peer.short) failed: error \(code)", code: "disk_failed")
      case .damagedAtom(let blob):
        .unavailable("atom \(blob.short) is damaged", code: "damaged_atom")
      case .modelRefused(let peer):
        .unavailable("peer \(peer.short) cannot run this model", code: "model_refused")
      case .staleTerm(let mine, let yours):
        .unavailable("term \(yours.value) is behind \(mine.value)", code: "stale_term")
      case .peerLost(let peer):
        .unavailable("peer \(peer.short) was lost: try again", code: "peer_lost")
      case .deadline(let peer, let milliseconds):
        .unavailable(
          "peer \(peer.short) did not answer in \(milliseconds) ms", code: "peer_timeout")
      case .protocolViolation(let peer, let error):
        .failure("peer \(peer.short) broke the protocol: \(error)", code: "protocol")
      case .numericRange(let layer):
        .failure("layer \(layer) left the range of canon-1", code: "numeric_range")
      case .contextFull(let limit):
        .badRequest("the context of \(limit) tokens is full", code: "context_length_exceeded")
      case .busy(let running, let limit):
        .unavailable("a peer runs \(running) jobs of at most \(limit): try again", code: "busy")
      case .unpaid, .creditExhausted:
        Refusal(
          .init(code: 402, reasonPhrase: "Payment Required"), "\(failure)", type: "payment_error",
          code: "unpaid")
      case .dishonest: .unavailable("\(failure)", code: "dishonest")
      case .leaving: .unavailable("a peer is leaving the mesh: try again", code: "leaving")
      case .cancelled: .unavailable("the job was cancelled", code: "cancelled")
      case .unexplained(let peer):
        .failure("peer \(peer.short) failed by its system", code: "peer_failed")
      }
  }
}
