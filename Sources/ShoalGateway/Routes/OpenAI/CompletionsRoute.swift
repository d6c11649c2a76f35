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
    let asked = try body.generationRequests(anySeed: generator.next())
    let place = try generating.admission.enter(user: body.options.user)
    let prepared = try await generating.prepare(asked)
    let answer = CompletionAnswer(
      generating: generating, place: place,
      created: generating.clock.unixMilliseconds() / 1_000, model: body.options.model,
      prompts: body.prompts.count)
    if body.options.streams {
      let hasUsage = body.options.includesUsage
      return .streamed(.events, to: request) { pieces in
        do {
          try await answer.stream(prepared, hasUsage: hasUsage, to: &pieces)
          try await pieces.send(text: "[DONE]")
        } catch {
          try await pieces.send(ErrorBody(Refusal(error).facts))
        }
      }
    }
    return try JSONBody.response(
      try await request.body.consumeWithCancellationOnInboundClose { _ in
        try await answer.whole(prepared)
      })
  }
}

/// Makes the choices of one answer, one after the other.
private struct CompletionAnswer: Sendable {
  let generating: Generating
  let place: AdmissionPlace
  /// Seconds since 1970.
  let created: UInt64
  let model: String
  let prompts: Int

  func whole(_ requests: [GenerationRequest]) async throws -> Completion {
    var choices: [Completion.Choice] = []
    var results: [RunResult] = []
    for (index, request) in requests.enumerated() {
      var probabilities: [TokenProbability] = []
      let result = try await generating.run(request, place) { event in
        if case .token(let token) = event, let one = token.probability { probabilities.append(one) }
      }
      choices.append(
        .init(
          text: result.text, index: index,
          logprobs: request.options.topLogprobs == nil ? nil : CompletionLogprobs(probabilities),
          finish_reason: result.finish))
      results.append(result)
    }
    return Completion(
      id: "cmpl-\(results.first?.job ?? "")", created: created,
      model: results.first?.model ?? model, choices: choices,
      usage: Usage(results, prompts: prompts))
  }

  func stream(
    _ requests: [GenerationRequest], hasUsage: Bool, to pieces: inout StreamedPieces
  ) async throws {
    var (id, model) = ("", model)
    let chunk = { (choices: [Completion.Choice], usage: Usage?) in
      Completion(id: id, created: created, model: model, choices: choices, usage: usage)
    }
    var results: [RunResult] = []
    for (index, request) in requests.enumerated() {
      var characters = 0
      let result = try await generating.run(request, place) { event in
        switch event {
        case .fetching, .interrupted, .continued, .witnesses: break
        case .started(let job, let entry, _, _, _):
          if id.isEmpty { (id, model) = ("cmpl-\(job.raw.hex)", entry.name) }
        case .token(let token):
          let logprobs = token.probability.map { CompletionLogprobs([$0], start: characters) }
          guard !token.text.isEmpty || logprobs != nil else { break }
          characters += logprobs?.tokens.first?.count ?? 0
          try await pieces.send(
            chunk([.init(text: token.text, index: index, logprobs: logprobs)], nil))
        }
      }
      try await pieces.send(
        chunk([.init(text: "", index: index, finish_reason: result.finish)], nil))
      results.append(result)
    }
    if hasUsage { try await pieces.send(chunk([], Usage(results, prompts: prompts))) }
  }
}
