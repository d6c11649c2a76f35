// `POST /api/run`: a generation as the terminal asks for it; `POST /api/resume`: the rest of one
// that another peer began. Both answer `RunEvent`s, one on each line.

import Hummingbird
import ShoalNode
import ShoalProtocol

/// The body of `POST /api/resume`.
struct ResumeRequest: Codable, Sendable, Hashable {
  /// The job's id, 64 hexadecimal digits: whoever knows it may go on with the job.
  let job: String
  /// Tokens that the client has heard.
  let shown: Int

  func asked() throws(RequestError) -> Generating.Asked {
    guard let id = Bytes32(hex: job) else {
      throw .wrongType(field: "job", expected: "64 hexadecimal digits")
    }
    try RequestChecks.range("shown", shown, 0...RequestChecks.maximumTokens)
    return .resume(JobID(id), shown: shown)
  }
}

struct RunRoute {
  let generating: Generating

  func add(to router: Router<BasicRequestContext>) {
    router.post("/api/run") { request, _ in
      var request = request
      let asked = try await JSONBody.decode(RunRequest.self, from: &request).generationRequest()
      let place = try generating.admission.enter(user: nil)
      let prepared = try await generating.node.prepare(asked)
      return respond(to: request, .run(prepared), place)
    }
    router.post("/api/resume") { request, _ in
      var request = request
      let asked = try await JSONBody.decode(ResumeRequest.self, from: &request).asked()
      return respond(to: request, asked, try generating.admission.enter(user: nil))
    }
  }

  private func respond(
    to request: Request, _ asked: Generating.Asked, _ place: AdmissionPlace
  ) -> Response {
    .streamed(.lines, to: request) { pieces in
      do {
        let result = try await generating.told(asked, place) { try await pieces.send($0) }
        try await pieces.send(RunEvent.finished(result: result))
      } catch {
        try await pieces.send(RunEvent.failed(error: Refusal(error).facts))
      }
    }
  }
}
