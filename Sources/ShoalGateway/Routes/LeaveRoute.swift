// `POST /api/leave`: the peer hands over what it does and holds, says goodbye to the mesh, and
// ends. Answers `LeaveEvent`s, one on each line.

import Hummingbird
import ShoalNode

struct LeaveRoute {
  let node: any NodeService

  func add(to router: Router<BasicRequestContext>) {
    router.post("/api/leave") { request, _ in
      Response.streamed(.lines, to: request, slot: nil) { pieces in
        // A client that goes away is in a hurry: what is not handed over by then stays behind.
        defer { node.stop() }
        try await leaving { try await pieces.send($0) }
      }
    }
  }

  /// Only the newest is kept for a client that reads slowly.
  private func leaving(take: (LeaveEvent) async throws -> Void) async throws {
    let (events, continuation) = AsyncStream.makeStream(
      of: LeaveEvent.self, bufferingPolicy: .bufferingNewest(1))
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { [node] in
        defer { continuation.finish() }
        await node.leave { continuation.yield(LeaveEvent($0)) }
      }
      for await event in events { try await take(event) }
      try await group.waitForAll()
    }
  }
}
