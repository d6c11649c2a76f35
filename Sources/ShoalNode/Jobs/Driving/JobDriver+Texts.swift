// Drives jobs that make vectors: the same terms as a generation, without a log that others keep,
// since whoever asks again is told the same.

internal import ShoalInference
internal import ShoalLedger
internal import ShoalProtocol
private import Synchronization

extension JobDriver {
  func embed(
    _ entry: ModelEntry, _ request: EmbeddingRequest
  ) async throws -> EmbeddingOutcome {
    let manifest = try await store.manifest(entry.model)
    let tokenizer = try await store.tokenizer(manifest)
    let texts = try EmbeddingTexts(request, manifest: manifest, tokenizer: tokenizer)
    var generator = RandomSourceGenerator(random)
    let job = JobID.random(using: &generator)
    // What one term has made, the next does not make again.
    let made = VectorsInHand()
    return try await perform(GenerationJob(), known: { made.all.count }) { number, excluded in
      let term = try await planTerm(
        number, of: job, entry.model, manifest, objective: request.objective,
        context: texts.order.context, batch: texts.order.batch, excluding: excluded)
      let members = term.plan.members
      let vectors = try await term.run { runner, _ in
        var session = EmbeddingSession(
          order: texts.order, term: number, members: members, continuing: made.all)
        _ = try runner.run(&session) { made.keep($0) }
        return session.vectors
      }
      return EmbeddingOutcome(
        vectors, of: texts, plan: term.plan.id,
        members: term.plan.report.members.map {
          JobMember(peer: $0.peer, sharePerMille: $0.sharePerMille)
        }, terms: Int(number.value))
    }
  }
}

/// Written by the entry's thread of one term, read by that of the next.
private final class VectorsInHand: Sendable {
  private let vectors = Mutex<[TextVector]>([])
  var all: [TextVector] { vectors.withLock { $0 } }
  func keep(_ new: [TextVector]) { vectors.withLock { $0 = new } }
}
