// `POST /api/embed` and the older `POST /api/embeddings`: vectors in the shape of Ollama's API
// (docs/api.md of ollama/ollama), with what Shoal says beside.

import Hummingbird
import ShoalNode

struct EmbedRoute {
  let generating: Generating

  func add(to router: Router<BasicRequestContext>) {
    router.post("/api/embed") { request, _ in
      var request = request
      let body = try await JSONBody.decode(EmbedRequest.self, from: &request)
      return try JSONBody.response(try await generating.embed(body, for: request))
    }
    router.post("/api/embeddings") { request, _ in
      var request = request
      let body = try await JSONBody.decode(Single.self, from: &request)
      let facts = try await generating.embed(
        EmbedRequest(.init(model: body.model, texts: [.text(body.prompt)])), for: request)
      return try JSONBody.response(["embedding": facts.embeddings[0]])
    }
  }

  private struct Single: Decodable, Sendable {
    let model: String
    let prompt: String
  }
}
