// Whole nodes beside a chain: names that come from elsewhere than the mesh, and accounts that are
// settled by a contract. The chain is a stand-in that keeps channels as the contract does.

import Foundation
import ShoalInference
import ShoalLedger
import ShoalNode
import ShoalProtocol
import ShoalSecurity
import ShoalSystem
import Synchronization
import Testing

/// Names that a test tells all peers.
private final class StandInRegistry: RegistrySource {
  private let entries = Mutex<[ModelEntry]>([])
  private let listeners = Mutex<[AsyncStream<Void>.Continuation]>([])

  func set(_ new: [ModelEntry]) {
    entries.withLock { $0 = new }
    for listener in listeners.withLock({ $0 }) { listener.yield() }
  }

  func run(_ tell: @escaping @Sendable ([ModelEntry]) async -> Void) async {
    let (stream, continuation) = AsyncStream.makeStream(of: Void.self)
    listeners.withLock { $0.append(continuation) }
    continuation.yield()
    for await _ in stream { await tell(entries.withLock { $0 }) }
  }
}

/// What the contract keeps, for all peers.
private final class StandInContract: Sendable {
  struct Channel {
    var deposit: Amount
    var redeemed = Amount.zero
    var isClosing = false
  }

  let channels = Mutex<[ChannelID: Channel]>([:])

  func fund(_ payer: PeerID, _ payee: PeerID, _ amount: Amount) {
    let id = ChannelID(payer: LedgerAccount(payer), payee: LedgerAccount(payee), epoch: 0)
    channels.withLock { $0[id] = Channel(deposit: amount) }
  }
}

private struct StandInLedger: SettlementLedger {
  let contract: StandInContract
  let domain = SettlementDomain(
    chain: UInt256(UInt64(9)), contract: .zero, verify: PeerSigner.verification)
  let signer: any SettlementSigner
  let lends = false

  func channel(payer: LedgerAccount, payee: LedgerAccount) async throws -> LedgerChannel {
    let id = ChannelID(payer: payer, payee: payee, epoch: 0)
    guard let known = contract.channels.withLock({ $0[id] }) else {
      return LedgerChannel(epoch: 0, state: .none)
    }
    return LedgerChannel(
      epoch: 0,
      state: ChannelState(
        ceiling: known.deposit, settled: known.redeemed, isClosing: known.isClosing,
        isOpen: true))
  }

  func redeem(_ vouchers: [Signed<Voucher>]) async throws {
    contract.channels.withLock { channels in
      for voucher in vouchers {
        guard var channel = channels[voucher.statement.channel] else { continue }
        channel.redeemed = min(voucher.statement.cumulative, channel.deposit)
        channels[voucher.statement.channel] = channel
      }
    }
  }
}

extension RealTimeTests {
  @Suite(.timeLimit(.minutes(10)))
  struct ChainMeshTests {
    static let model = SharedData.url("models/stories260K/stories260K-q8_0.gguf")
    static let isThere = FileManager.default.fileExists(atPath: model.path)

    @Test(.enabled(if: isThere))
    func `a name from a chain is taken up by those who allow its publisher, and goes when it does`()
      async throws
    {
      let publisher = PeerID(Keccak256.hash([1]))
      let chain = StandInRegistry()
      let world = try TestMesh(peers: 3) { configuration, _ in
        configuration.sources = [chain]
        configuration.publishers = PublisherPolicy(allowed: [publisher])
      }
      defer { world.remove() }
      try await world.run { nodes in
        let files = try await nodes[0].importModel(
          path: Self.model.path, name: "files", progress: { _, _ in })
        try await world.until { await nodes[2].peers().count { $0.state == .alive } == 3 }
        let events = await nodes[2].registryEvents()
        let entry = ModelEntry(
          publisher: publisher, name: "story", revision: 1, model: files.model, byteCount: 0,
          isRetired: false, written: 7)
        chain.set([entry])
        try await world.until { try await nodes[2].models().contains { $0.entry == entry } }
        try await world.untilPrepared(at: nodes[2])
        let outcome = try await nodes[2].generate(
          world.request(tokens: 5, objective: .spread), emit: { _ in })
        #expect(outcome.tokens.count == 5)
        // The others hold what one alone held before.
        try await world.until { try world.othersHoldAll(of: 0) }
        for await case .seen(let news) in events where news.entry == entry { break }
        chain.set([])
        await #expect(throws: NodeError.self) {
          try await world.untilThrows {
            _ = try await nodes[2].generate(
              world.request(tokens: 1, objective: .spread), emit: { _ in })
          }
        }
      }
    }

    @Test(.enabled(if: isThere))
    func `what a client spends from escrow is what the contract pays out, to the unit`()
      async throws
    {
      let contract = StandInContract()
      let world = try TestMesh(peers: 3) { configuration, number in
        configuration.ledger = StandInLedger(
          contract: contract, signer: PeerSigner(configuration.identity))
        var terms = AccountTerms(price: WorkPrice(perMebiUnit: 900))
        if number == 2 { terms.asks = WorkPrice(perMebiUnit: 0) }
        configuration.accounts = terms
      }
      defer { world.remove() }
      try await world.run { nodes in
        _ = try await nodes[0].importModel(
          path: Self.model.path, name: "story", progress: { _, _ in })
        for node in nodes {
          try await world.until { await node.peers().count { $0.state == .alive } == 3 }
          try await world.until { try await node.models().count == 1 }
        }
        try await world.untilPrepared(at: nodes[2])
        // Without escrow nobody works for the client, which computes alone.
        _ = try await nodes[2].generate(
          world.request(tokens: 3, objective: .spread), emit: { _ in })
        #expect(await nodes[2].credits()?.spent == .zero)
        for node in nodes[..<2] { contract.fund(nodes[2].peer, node.peer, Amount(1 << 40)) }
        _ = try await nodes[2].generate(
          world.request(tokens: 60, objective: .spread), emit: { _ in })
        try await world.until {
          guard let client = await nodes[2].credits() else { return false }
          var earned = Amount.zero
          for node in nodes[..<2] { earned = earned + (await node.credits()?.earned ?? .zero) }
          let isEven = client.accounts.allSatisfy { ($0.work.first?.tokens ?? 0) >= 60 }
          return client.accounts.count == 2 && isEven && client.spent == earned
        }
        for node in nodes[..<2] { #expect(try await node.settle(nil) == 1) }
        let paid = contract.channels.withLock { channels in
          channels.values.reduce(Amount.zero) { $0 + $1.redeemed }
        }
        let spent = await nodes[2].credits()?.spent
        #expect(paid > .zero && paid == spent)
        for node in nodes[..<2] {
          let account = try #require(await node.credits()?.accounts.first)
          #expect(account.settled == account.promised)
        }
        // A channel that its payer closes: nobody works on it any more.
        contract.channels.withLock { channels in
          for id in channels.keys { channels[id]?.isClosing = true }
        }
        let before = await nodes[2].credits()?.spent
        _ = try await nodes[2].generate(
          world.request(tokens: 3, objective: .spread), emit: { _ in })
        #expect(await nodes[2].credits()?.spent == before)
      }
    }
  }
}

extension TestMesh {
  /// Waits until a peer knows what the model's name stands for.
  fileprivate func untilPrepared(at node: Node) async throws {
    let request = self.request(tokens: 1, objective: .spread)
    try await until { (try? await node.prepare(request)) != nil }
  }

  /// Repeats until it throws.
  fileprivate func untilThrows(_ body: () async throws -> Void) async throws {
    while true {
      try await body()
      try await SystemClock().sleep(until: SystemClock().now() + .milliseconds(20))
    }
  }
}
