// The terminal's questions about the registry.

import NIOHTTP1

extension GatewayClient {
  /// Every name, retired ones included.
  public func registry() async throws -> [RegistryFacts] {
    try await get([RegistryFacts].self, "/api/registry")
  }

  /// `take` is called with each event from now on, until it throws, the task is cancelled or the
  /// peer goes away.
  public func watchRegistry(take: (RegistryEventFacts) async throws -> Void) async throws {
    try await lines(of: RegistryEventFacts.self, .GET, "/api/registry/events", take: take)
  }

  public func publish(_ request: PublishRequest) async throws -> RegistryFacts {
    try await whole(
      RegistryFacts.self, .POST, "/api/registry/publish", body: JSONBody.encode(request))
  }

  public func retire(_ request: RetireRequest) async throws -> RegistryFacts {
    try await whole(
      RegistryFacts.self, .POST, "/api/registry/retire", body: JSONBody.encode(request))
  }
}
