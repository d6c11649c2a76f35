// `POST /v1/completions`: OpenAI's text completion, whole or as server-sent events.

import Hummingbird
import ShoalLedger
import ShoalNode
import ShoalProtocol

struct CompletionsRoute {
  let generating: Generating

  func add(to router: Router<BasicRequestContext>) {
    router.post("/v1/completions") { request, _ in try await respond(to: request) }
  }

  private func respond(to request: Request) async throws -> Response {
    var request = request
    let body = try await JSONBody.decode(CompletionRequest.self, from: &request)
    var generator = SystemRandomNumberGenerator()
    let asked = try body.generationRequest(anySeed: generator.next())
    let slot = try generating.slots.take()
    let created = generating.clock.unixMilliseconds() / 1_000
    if body.options.streams {
      try await generating.check(asked)
      let hasUsage = body.options.includesUsage
      return .streamed(.events, to: request, slot: slot) { pieces in
        try await stream(asked, created: created, hasUsage: hasUsage, to: &pieces)
      }
    }
    let result = try await request.body.consumeWithCancellationOnInboundClose { _ in
      try await generating.run(asked) { _ in }
    }
    withExtendedLifetime(slot) {}
    let choice = Completion.Choice(text: result.text, finish_reason: result.finish)
    return try JSONBody.response(
      Completion(
        id: "cmpl-\(result.job)", created: created, model: result.model, choices: [choice],
        usage: .init(result)))
  }

  private func stream(
    _ asked: GenerationRequest, created: UInt64, hasUsage: Bool, to pieces: inout StreamedPieces
  ) async throws {
    var (id, model) = ("", asked.model)
    do {
      let result = try await generating.run(asked) { event in
        switch event {
        case .fetching, .continued, .witnesses: break
        case .started(let job, let entry, _, _, _):
          (id, model) = ("cmpl-\(job.raw.hex)", entry.name)
        case .token(let token) where token.text.isEmpty: break
        case .token(let token):
          let choice = Completion.Choice(text: token.text, finish_reason: nil)
          try await pieces.send(
            Completion(id: id, created: created, model: model, choices: [choice], usage: nil))
        }
      }
      let last = Completion.Choice(text: "", finish_reason: result.finish)
      try await pieces.send(
        Completion(id: id, created: created, model: model, choices: [last], usage: nil))
      if hasUsage {
        try await pieces.send(
          Completion(
            id: id, created: created, model: model, choices: [], usage: .init(result)))
      }
      try await pieces.send(text: "[DONE]")
    } catch {
      try await pieces.send(ErrorBody(Refusal(error).facts))
    }
  }
}
