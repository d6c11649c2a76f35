// Routes that only look: who is there, which models, which plan.

import Hummingbird
import ShoalNode
import ShoalProtocol

/// `GET /health`: the peer answers.
struct HealthRoute {
  func add(to router: Router<BasicRequestContext>) {
    router.get("/health") { _, _ in try JSONBody.response(["status": "ok"]) }
  }
}

/// `GET /api/peers`: an array of `PeerFacts`.
struct PeersRoute {
  let node: any NodeService

  func add(to router: Router<BasicRequestContext>) {
    router.get("/api/peers") { _, _ in
      try JSONBody.response(await node.peers().map { PeerFacts($0) })
    }
  }
}

/// `GET /api/models`: an array of `ModelFacts`.
struct ModelsRoute {
  let node: any NodeService

  func add(to router: Router<BasicRequestContext>) {
    router.get("/api/models") { _, _ in
      try JSONBody.response(try await node.models().map { ModelFacts($0) })
    }
  }
}

/// `GET /api/plan?model=&objective=&context=`: `PlanFacts`.
struct PlanRoute {
  let node: any NodeService

  func add(to router: Router<BasicRequestContext>) {
    router.get("/api/plan") { request, _ in
      let query = request.uri.queryParameters
      guard let model = query["model"], !model.isEmpty else {
        throw RequestError.missing(field: "model")
      }
      let planned = try await node.plan(
        model: String(model),
        objective: try RequestChecks.objective(query["objective"].map { String($0) }),
        context: try query["context"].map { try PlanRoute.context(String($0)) })
      return try JSONBody.response(PlanFacts(planned))
    }
  }

  private static func context(_ text: String) throws(RequestError) -> Int {
    guard let context = Int(text) else {
      throw .wrongType(field: "context", expected: "a whole number")
    }
    try RequestChecks.range("context", context, 1...RequestChecks.maximumTokens)
    return context
  }
}
