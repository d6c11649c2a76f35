// `POST /v1/chat/completions`: OpenAI's chat, whole or as server-sent events. The node renders the
// conversation by the model's own template.

import Hummingbird
import ShoalInference
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
    let body = try ChatRequest(try await JSONBody.read(from: &request))
    var generator = SystemRandomNumberGenerator()
    let asked = try body.generationRequests(anySeed: generator.next())
    let place = try generating.admission.enter(user: body.options.user)
    let prepared = try await generating.prepare(asked)
    let answer = ChatAnswer(
      generating: generating, place: place,
      created: generating.clock.unixMilliseconds() / 1_000, model: body.options.model,
      toolNames: Set(body.tools.compactMap { $0["function"]?["name"]?.string }))
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
private struct ChatAnswer: Sendable {
  let generating: Generating
  let place: AdmissionPlace
  /// Seconds since 1970.
  let created: UInt64
  let model: String
  /// Of the tools that were offered.
  let toolNames: Set<String>

  func whole(_ requests: [GenerationRequest]) async throws -> ChatCompletion {
    var choices: [ChatCompletion.Choice] = []
    var results: [RunResult] = []
    for (index, request) in requests.enumerated() {
      var probabilities: [TokenProbability] = []
      let result = try await generating.run(request, place) { event in
        if case .token(let token) = event, let one = token.probability { probabilities.append(one) }
      }
      var reader = ToolCallReader(names: toolNames)
      let beginning = reader.append(result.text)
      let (rest, found) = reader.finish()
      let calls = calls(found, of: result.job)
      let content = beginning + rest
      choices.append(
        .init(
          index: index,
          message: .init(
            role: "assistant", content: content.isEmpty && calls != nil ? nil : content,
            tool_calls: calls),
          logprobs: request.options.topLogprobs == nil ? nil : ChatLogprobs(probabilities),
          finish_reason: calls == nil ? result.finish : "tool_calls"))
      results.append(result)
    }
    return ChatCompletion(
      id: "chatcmpl-\(results.first?.job ?? "")", object: "chat.completion", created: created,
      model: results.first?.model ?? model, choices: choices, usage: Usage(results))
  }

  func stream(
    _ requests: [GenerationRequest], hasUsage: Bool, to pieces: inout StreamedPieces
  ) async throws {
    var (id, model) = ("", model)
    let chunk = { (choices: [ChatCompletion.Choice], usage: Usage?) in
      ChatCompletion(
        id: id, object: "chat.completion.chunk", created: created, model: model, choices: choices,
        usage: usage)
    }
    var results: [RunResult] = []
    for (index, request) in requests.enumerated() {
      var reader = ToolCallReader(names: toolNames)
      let delta = { (message: ChatCompletion.Message, logprobs: ChatLogprobs?, finish: String?) in
        chunk(
          [.init(index: index, delta: message, logprobs: logprobs, finish_reason: finish)], nil)
      }
      let result = try await generating.run(request, place) { event in
        switch event {
        case .fetching, .interrupted, .continued, .witnesses: break
        case .started(let job, let entry, _, _, _):
          if id.isEmpty { (id, model) = ("chatcmpl-\(job.raw.hex)", entry.name) }
          try await pieces.send(delta(.init(role: "assistant", content: ""), nil, nil))
        case .token(let token):
          let text = reader.append(token.text)
          let logprobs = token.probability.map { ChatLogprobs([$0]) }
          guard !text.isEmpty || logprobs != nil else { break }
          try await pieces.send(delta(.init(content: text), logprobs, nil))
        }
      }
      let (rest, found) = reader.finish()
      let calls = calls(found, of: result.job, isStreamed: true)
      if !rest.isEmpty { try await pieces.send(delta(.init(content: rest), nil, nil)) }
      if let calls { try await pieces.send(delta(.init(tool_calls: calls), nil, nil)) }
      try await pieces.send(delta(.init(), nil, calls == nil ? result.finish : "tool_calls"))
      results.append(result)
    }
    if hasUsage { try await pieces.send(chunk([], Usage(results))) }
  }

  /// Nil where there are none. Ids have nine letters and digits, the strictest that templates ask.
  private func calls(
    _ found: [ToolCallReader.Call], of job: String, isStreamed: Bool = false
  ) -> [ChatCompletion.Call]? {
    if found.isEmpty { return nil }
    return found.enumerated().map { index, call in
      let number = String(index, radix: 16)
      return ChatCompletion.Call(
        index: isStreamed ? index : nil,
        id: job.prefix(max(0, 9 - number.count)) + number,
        function: .init(name: call.name, arguments: call.arguments.text))
    }
  }
}
