// What the three routes for vectors have in common: the checks, one job, its counters.

import Hummingbird
import ShoalInference
import ShoalLedger
import ShoalNode
import ShoalProtocol

extension RequestChecks {
  /// Texts of one request: as many as OpenAI's reference allows.
  static let embeddingTexts = 2_048

  static func pooling(_ name: String?) throws(RequestError) -> Pooling? {
    guard let name else { return nil }
    // `cls` is what most call it.
    if name == "cls" { return .first }
    guard let pooling = Pooling.allCases.first(where: { $0.name == name }) else {
      throw .notOneOf(field: "pooling", value: name, allowed: Pooling.allCases.map(\.name))
    }
    return pooling
  }
}

extension EmbedRequest {
  func embeddingRequest() throws(RequestError) -> EmbeddingRequest {
    try RequestChecks.range(
      "input", input.texts.count, 1...RequestChecks.embeddingTexts)
    return EmbeddingRequest(
      model: model, texts: input.texts, pooling: try RequestChecks.pooling(pooling),
      isNormalised: normalize, truncates: truncate ?? true,
      objective: try RequestChecks.objective(objective))
  }
}

extension Generating {
  /// Makes the vectors that a request's body asks for; the job ends when the client goes away.
  func embed(_ body: EmbedRequest, for request: Request) async throws -> EmbedFacts {
    let asked = try body.embeddingRequest()
    let place = try texts.enter(user: nil)
    let start = clock.now()
    // The name and the width, before anything is computed.
    let planned = try await node.plan(
      model: asked.model, objective: asked.objective, context: 1)
    let width = planned.manifest.shape.hidden
    if let dimensions = body.dimensions, dimensions != width {
      throw RequestError.unsupported(
        field: "dimensions", hint: "\(planned.entry.name) makes vectors of \(width) elements")
    }
    counters.count { $0.jobs += 1 }
    let outcome: EmbeddingOutcome
    do {
      outcome = try await request.body.consumeWithCancellationOnInboundClose { [node] _ in
        try await place.turn()
        return try await node.embed(asked)
      }
    } catch {
      counters.count { $0.jobFailures += 1 }
      throw error
    }
    counters.count { $0.promptTokens += outcome.tokenCounts.reduce(0, +) }
    return EmbedFacts(
      outcome, model: planned.entry.name, manifest: planned.entry.model.raw.hex,
      plan: outcome.plan.raw.hex,
      peers: outcome.members.map {
        .init(id: $0.peer.raw.hex, share: Double($0.sharePerMille) / 1_000)
      }, took: clock.now() - start)
  }
}
