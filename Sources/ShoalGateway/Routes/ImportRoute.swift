// `POST /api/import`: brings a GGUF file of the peer's machine into the mesh. Answers
// `ImportEvent`s, one on each line.

import Hummingbird
import ShoalLedger
import ShoalNode

struct ImportRoute {
  let node: any NodeService

  func add(to router: Router<BasicRequestContext>) {
    router.post("/api/import") { request, _ in try await respond(to: request) }
  }

  private func respond(to request: Request) async throws -> Response {
    var request = request
    let asked = try await JSONBody.decode(ImportRequest.self, from: &request)
    guard asked.path.hasPrefix("/") else {
      throw RequestError.outOfRange(
        field: "path", value: "`\(asked.path)`", allowed: "absolute, on the peer's machine")
    }
    return .streamed(.lines, to: request) { pieces in
      do {
        let entry = try await importing(asked) { try await pieces.send($0) }
        try await pieces.send(ImportEvent.finished(model: ModelFacts(entry)))
      } catch {
        try await pieces.send(ImportEvent.failed(error: Refusal(error).facts))
      }
    }
  }

  /// Only the newest progress is kept for a client that reads slowly.
  private func importing(
    _ asked: ImportRequest, take: (ImportEvent) async throws -> Void
  ) async throws -> ModelEntry {
    let (events, continuation) = AsyncStream.makeStream(
      of: ImportEvent.self, bufferingPolicy: .bufferingNewest(1))
    return try await withThrowingTaskGroup(of: ModelEntry.self) { group in
      group.addTask { [node] in
        defer { continuation.finish() }
        return try await node.importModel(path: asked.path, name: asked.name) { done, total in
          continuation.yield(.progress(doneBytes: done, totalBytes: total))
        }
      }
      for await event in events { try await take(event) }
      guard let entry = try await group.next() else { throw CancellationError() }
      return entry
    }
  }
}
