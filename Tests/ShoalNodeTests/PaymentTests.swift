// Whole nodes that pay each other: what the driver spends is what the others earn, by the work that
// each of them did.

import Foundation
import ShoalInference
import ShoalLedger
import ShoalNode
import ShoalProtocol
import ShoalSystem
import Testing

extension RealTimeTests {
  @Suite(.timeLimit(.minutes(10)))
  struct PaymentTests {
    static let model = SharedData.url("models/stories260K/stories260K-q8_0.gguf")
    static let isThere = FileManager.default.fileExists(atPath: model.path)

    private static func terms(_ price: UInt64, pays: UInt64? = nil) -> AccountTerms {
      var terms = AccountTerms(price: WorkPrice(perMebiUnit: max(price, pays ?? 0)))
      terms.asks = WorkPrice(perMebiUnit: price)
      terms.pays = WorkPrice(perMebiUnit: pays ?? price)
      return terms
    }

    /// A mesh in which every peer knows the model and all others.
    private static func paying(
      _ accounts: [AccountTerms?],
      _ body: @escaping @Sendable (TestMesh, [Node]) async throws -> Void
    ) async throws {
      let world = try TestMesh(peers: accounts.count, accounts: accounts)
      defer { world.remove() }
      try await world.run { nodes in
        let entry = try await nodes[0].importModel(
          path: model.path, name: "story", progress: { _, _ in })
        for node in nodes {
          try await world.until {
            await node.peers().count { $0.state == .alive } == accounts.count
          }
          try await world.until { try await node.models().contains { $0.entry == entry } }
        }
        try await body(world, nodes)
      }
    }

    @Test(.enabled(if: isThere))
    func `what the client spends is what the others earn, by the work of each, to the unit`()
      async throws
    {
      try await Self.paying([Self.terms(700), Self.terms(500), Self.terms(0, pays: 1_000)]) {
        world, nodes in
        let alone = try await world.digestAlone(Self.model, tokens: 100)
        let outcome = try await nodes[2].generate(
          world.request(tokens: 100, objective: .spread), emit: { _ in })
        #expect(outcome.digest == alone.digest)
        _ = try await nodes[2].generate(
          world.request(tokens: 30, objective: .spread), emit: { _ in })
        // The last receipts are answered after the answer is told.
        try await world.until {
          guard let client = await nodes[2].credits() else { return false }
          for node in nodes[..<2] {
            guard let account = await node.credits()?.accounts.first, account.owed == .zero,
              client.accounts.contains(where: {
                $0.channel == account.channel && $0.promised == account.promised
                  && $0.promised > .zero
              })
            else { return false }
          }
          return client.accounts.allSatisfy { ($0.work.first?.tokens ?? 0) >= 130 }
        }
        let client = try #require(await nodes[2].credits())
        let earned = try await [nodes[0], nodes[1]].asyncMap {
          try #require(await $0.credits()).earned
        }
        #expect(client.spent == earned.reduce(.zero, +))
        // One price for both: the higher one that is asked.
        for account in client.accounts {
          let work = try #require(account.work.first)
          #expect(account.work.count == 1)
          let exact = WorkPrice(perMebiUnit: 700).pay(work.workUnits)
          // Each of the two sessions is rounded down once.
          #expect(work.pay <= exact && exact - work.pay <= Amount(1))
        }
      }
    }

    @Test(.enabled(if: isThere))
    func `a peer that asks more than a client pays is left out, and says so where nobody is left`()
      async throws
    {
      try await Self.paying([Self.terms(700), Self.terms(0, pays: 699)]) { world, nodes in
        // Alone, the client computes everything itself, for nothing.
        let outcome = try await nodes[1].generate(
          world.request(tokens: 5, objective: .spread), emit: { _ in })
        #expect(outcome.tokens.count == 5)
        #expect(await nodes[1].credits()?.accounts == [])
        let report = try await nodes[1].plan(model: "story", objective: .spread, context: 64)
        #expect(report.report.members.map(\.peer) == [nodes[1].peer])
      }
    }

    @Test(.enabled(if: isThere))
    func `a client without accounts is not worked for by a peer that asks`() async throws {
      try await Self.paying([Self.terms(700), nil]) { world, nodes in
        let outcome = try await nodes[1].generate(
          world.request(tokens: 5, objective: .spread), emit: { _ in })
        #expect(outcome.tokens.count == 5)
        #expect(await nodes[1].credits() == nil)
        await #expect(throws: NodeError.noAccounts) { try await nodes[1].settle(nil) }
        #expect(await nodes[0].credits()?.accounts == [])
      }
    }

    @Test(.enabled(if: isThere))
    func `both sides agree that what was promised is settled`() async throws {
      try await Self.paying([Self.terms(700), Self.terms(0, pays: 700)]) { world, nodes in
        _ = try await nodes[1].generate(
          world.request(tokens: 40, objective: .spread), emit: { _ in })
        try await world.until {
          guard let account = await nodes[0].credits()?.accounts.first else { return false }
          return account.promised > .zero && account.owed == .zero
        }
        #expect(try await nodes[0].settle(nil) == 1)
        for node in nodes {
          try await world.until {
            // Said by datagrams, which may be lost: asked again.
            _ = try await nodes[0].settle(nil)
            guard let account = await node.credits()?.accounts.first else { return false }
            return account.settled == account.promised
          }
        }
        #expect(try await nodes[0].settle(nil) == 0)
      }
    }
  }
}

extension Sequence {
  fileprivate func asyncMap<Result>(
    _ transform: (Element) async throws -> Result
  ) async rethrows -> [Result] {
    var results: [Result] = []
    for element in self { results.append(try await transform(element)) }
    return results
  }
}
