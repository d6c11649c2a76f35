// Routes of the accounts: `GET /api/credits` and `POST /api/credits/settle`.

import Hummingbird
import ShoalNode
import ShoalProtocol

struct CreditsRoutes {
  let node: any NodeService

  func add(to router: Router<BasicRequestContext>) {
    router.get("/api/credits") { _, _ in
      guard let report = await node.credits() else { throw Refusal(NodeError.noAccounts) }
      return try JSONBody.response(CreditsFacts(report))
    }
    router.post("/api/credits/settle") { request, _ in
      var request = request
      let asked = try await JSONBody.decode(SettleRequest.self, from: &request)
      let payer = try asked.peer.map { text in
        guard let id = Bytes32(hex: text) else {
          throw Refusal.badRequest(
            "`peer` is an id of 64 hexadecimal digits", param: "peer", code: "peer")
        }
        return PeerID(id)
      }
      return try JSONBody.response(SettleFacts(asked: try await node.settle(payer)))
    }
  }
}
