// `POST /api/run`: a generation as the terminal asks for it. Answers `RunEvent`s, one on each line.

import Hummingbird

struct RunRoute {
  let generating: Generating

  func add(to router: Router<BasicRequestContext>) {
    router.post("/api/run") { request, _ in try await respond(to: request) }
  }

  private func respond(to request: Request) async throws -> Response {
    var request = request
    let asked = try await JSONBody.decode(RunRequest.self, from: &request).generationRequest()
    let slot = try generating.slots.take()
    try await generating.check(asked)
    return .streamed(.lines, to: request, slot: slot) { pieces in
      do {
        let result = try await generating.run(asked) { try await pieces.send(RunEvent($0)) }
        try await pieces.send(RunEvent.finished(result: result))
      } catch {
        try await pieces.send(RunEvent.failed(error: Refusal(error).facts))
      }
    }
  }
}
