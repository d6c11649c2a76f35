// Routes of the registry: `GET /api/registry`, `GET /api/registry/events`,
// `POST /api/registry/publish` and `POST /api/registry/retire`.

import Hummingbird
import ShoalNode

struct RegistryRoutes {
  let node: any NodeService

  func add(to router: Router<BasicRequestContext>) {
    router.get("/api/registry") { _, _ in
      try JSONBody.response(await node.registryEntries().map { RegistryFacts($0) })
    }
    router.get("/api/registry/events") { request, _ in
      let events = await node.registryEvents()
      return Response.streamed(.lines, to: request, slot: nil) { pieces in
        for await event in events { try await pieces.send(RegistryEventFacts(event)) }
      }
    }
    router.post("/api/registry/publish") { request, _ in
      var request = request
      let asked = try await JSONBody.decode(PublishRequest.self, from: &request)
      let entry = try await node.publish(
        model: asked.model, name: asked.name ?? asked.model, location: asked.location ?? "")
      return try JSONBody.response(RegistryFacts(entry))
    }
    router.post("/api/registry/retire") { request, _ in
      var request = request
      let asked = try await JSONBody.decode(RetireRequest.self, from: &request)
      return try JSONBody.response(RegistryFacts(try await node.retire(name: asked.name)))
    }
  }
}
