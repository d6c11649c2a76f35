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

/// `GET /ready`: the peer is a member, and a generation that is asked for now has a place.
struct ReadyRoute {
  let generating: Generating

  func add(to router: Router<BasicRequestContext>) {
    router.get("/ready") { _, _ in
      let isMember = await generating.node.peers().contains { $0.isSelf && $0.state.isLive }
      guard isMember else {
        throw Refusal.unavailable("this peer is not in the mesh", code: "not_a_member")
      }
      guard !generating.admission.isFull else {
        throw Refusal.unavailable("as many generations wait as may", code: "busy")
      }
      return try JSONBody.response(["status": "ready"])
    }
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

/// `GET /api/jobs`: an array of `JobFacts`.
struct JobsRoute {
  let generating: Generating

  func add(to router: Router<BasicRequestContext>) {
    router.get("/api/jobs") { _, _ in
      try JSONBody.response(generating.board.facts(at: generating.clock.now()))
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
