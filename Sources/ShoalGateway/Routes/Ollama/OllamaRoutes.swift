// The routes that Ollama's clients need: generate, chat, tags, show, ps and version.

import Hummingbird
import ShoalInference
import ShoalNode
import ShoalProtocol

struct OllamaRoutes {
  let generating: Generating

  /// Their errors are a sentence and no more.
  static let paths: Set<String> = [
    "/api/generate", "/api/chat", "/api/tags", "/api/show", "/api/ps", "/api/version",
  ]

  func add(to router: Router<BasicRequestContext>) {
    router.post("/api/generate") { request, _ in try await generate(request) }
    router.post("/api/chat") { request, _ in try await chat(request) }
    OllamaModelRoutes(node: generating.node).add(to: router)
  }

  private func chat(_ request: Request) async throws -> Response {
    var request = request
    let asked = try OllamaAsked(try await JSONBody.read(from: &request))
    var generator = SystemRandomNumberGenerator()
    let wanted = try asked.chat(anySeed: generator.next())
    let place = try generating.admission.enter(user: nil)
    let prepared = try await generating.node.prepare(wanted)
    return try await answer(request, asked, prepared, place, isChat: true)
  }

  private func generate(_ request: Request) async throws -> Response {
    var request = request
    let asked = try OllamaAsked(try await JSONBody.read(from: &request))
    var generator = SystemRandomNumberGenerator()
    var wanted = try asked.generate(anySeed: generator.next())
    let place = try generating.admission.enter(user: nil)
    let prepared: GenerationRequest
    do {
      prepared = try await generating.node.prepare(wanted)
    } catch NodeError.noChatTemplate {
      // A model that was not made for chats continues the text.
      wanted.prompt = .text((asked.request.system ?? "") + (asked.request.prompt ?? ""))
      prepared = try await generating.node.prepare(wanted)
    }
    return try await answer(request, asked, prepared, place, isChat: false)
  }

  private func answer(
    _ request: Request, _ asked: OllamaAsked, _ prepared: GenerationRequest,
    _ place: AdmissionPlace, isChat: Bool
  ) async throws -> Response {
    let writer = OllamaWriter(
      generating: generating, place: place, model: asked.request.model,
      toolNames: asked.toolNames, isChat: isChat)
    if asked.request.streams {
      return .streamed(.lines, to: request) { pieces in
        do {
          let last = try await writer.run(prepared) { try await pieces.send($0) }
          try await pieces.send(last)
        } catch {
          try await pieces.send(["error": Refusal(error).facts.message])
        }
      }
    }
    return try JSONBody.response(
      try await request.body.consumeWithCancellationOnInboundClose { _ in
        try await writer.whole(prepared)
      })
  }
}

/// Turns the events of one generation into Ollama's answers.
private struct OllamaWriter: Sendable {
  let generating: Generating
  let place: AdmissionPlace
  /// As the client called it.
  let model: String
  let toolNames: Set<String>
  let isChat: Bool

  private func piece(_ text: String, _ calls: [ToolCallReader.Call] = []) -> OllamaAnswer {
    var answer = OllamaAnswer(model: model, at: generating.clock.unixMilliseconds())
    if isChat {
      let found = calls.map { call in
        OllamaAnswer.Call(
          function: .init(name: call.name, arguments: OrderedJSON(value: call.arguments)))
      }
      answer.message = .init(content: text, tool_calls: found.isEmpty ? nil : found)
    } else {
      answer.response = text
    }
    return answer
  }

  /// Hands out each piece of text, and returns the last answer.
  func run(
    _ request: GenerationRequest, _ take: (OllamaAnswer) async throws -> Void
  ) async throws -> OllamaAnswer {
    var reader = ToolCallReader(names: toolNames)
    let result = try await generating.run(request, place) { event in
      guard case .token(let token) = event else { return }
      let text = reader.append(token.text)
      if !text.isEmpty { try await take(piece(text)) }
    }
    let (rest, calls) = reader.finish()
    if !rest.isEmpty || !calls.isEmpty { try await take(piece(rest, calls)) }
    var last = piece("")
    last.end(result)
    return last
  }

  func whole(_ request: GenerationRequest) async throws -> OllamaAnswer {
    let result = try await generating.run(request, place) { _ in }
    var reader = ToolCallReader(names: toolNames)
    let beginning = reader.append(result.text)
    let (rest, calls) = reader.finish()
    var answer = piece(beginning + rest, calls)
    answer.end(result)
    return answer
  }
}
