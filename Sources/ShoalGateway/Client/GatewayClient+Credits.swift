// The terminal's questions about the accounts.

import NIOHTTP1

extension GatewayClient {
  public func credits() async throws -> CreditsFacts {
    try await get(CreditsFacts.self, "/api/credits")
  }

  public func settle(_ request: SettleRequest) async throws -> SettleFacts {
    try await whole(
      SettleFacts.self, .POST, "/api/credits/settle", body: JSONBody.encode(request))
  }
}
