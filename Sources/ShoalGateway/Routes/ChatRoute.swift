// `POST /v1/chat/completions`: OpenAI's chat, whole or as server-sent events. The node renders the
// conversation by the model's own template.

import Hummingbird
import ShoalLedger
import ShoalNode
import ShoalProtocol

struct ChatRoute {
  let generating: Generating

  func add(to router: Router<BasicRequestContext>) {
    router.post("/v1/chat/completions") { request, _ in try await respond(to: request) }
  }

  private func respond(to request: Request) async throws -> Response {
    var request = request
    let body = try await JSONBody.decode(ChatRequest.self, from: &request)
    var generator = SystemRandomNumberGenerator()
    let asked = try body.generationRequest(anySeed: generator.next())
    let slot = try generating.slots.take()
    let created = generating.clock.unixMilliseconds() / 1_000
    try await generating.check(asked)
    if body.options.streams {
      let hasUsage = body.options.includesUsage
      return .streamed(.events, to: request, slot: slot) { pieces in
        try await stream(asked, created: created, hasUsage: hasUsage, to: &pieces)
      }
    }
    let result = try await request.body.consumeWithCancellationOnInboundClose { _ in
      try await generating.run(asked) { _ in }
    }
    withExtendedLifetime(slot) {}
    let choice = ChatCompletion.Choice(
      message: .init(role: "assistant", content: result.text), finish_reason: result.finish)
    return try JSONBody.response(
      ChatCompletion(
        id: "chatcmpl-\(result.job)", object: "chat.completion", created: created,
        model: result.model, choices: [choice], usage: .init(result)))
  }

  private func stream(
    _ asked: GenerationRequest, created: UInt64, hasUsage: Bool, to pieces: inout StreamedPieces
  ) async throws {
    var (id, model) = ("", asked.model)
    let chunk = { (choices: [ChatCompletion.Choice], usage: Completion.Usage?) in
      ChatCompletion(
        id: id, object: "chat.completion.chunk", created: created, model: model, choices: choices,
        usage: usage)
    }
    let delta = { (role: String?, content: String?, finish: String?) in
      ChatCompletion.Choice(delta: .init(role: role, content: content), finish_reason: finish)
    }
    do {
      let result = try await generating.run(asked) { event in
        switch event {
        case .fetching, .continued, .witnesses: break
        case .started(let job, let entry, _, _, _):
          (id, model) = ("chatcmpl-\(job.raw.hex)", entry.name)
          try await pieces.send(chunk([delta("assistant", "", nil)], nil))
        case .token(let token) where token.text.isEmpty: break
        case .token(let token):
          try await pieces.send(chunk([delta(nil, token.text, nil)], nil))
        }
      }
      try await pieces.send(chunk([delta(nil, nil, result.finish)], nil))
      if hasUsage { try await pieces.send(chunk([], .init(result))) }
      try await pieces.send(text: "[DONE]")
    } catch {
      try await pieces.send(ErrorBody(Refusal(error).facts))
    }
  }
}
