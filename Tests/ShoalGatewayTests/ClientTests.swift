// The terminal's client against a real gateway.

import Foundation
import NIOHTTP1
import ShoalGateway
import ShoalInference
import ShoalLedger
import ShoalNode
import ShoalProtocol
import Synchronization
import Testing

struct ClientTests {
  @Test func `names are listed, published, retired and watched through the gateway`() async throws {
    try await served(FakeNode()) { address in
      let client = GatewayClient(address: address)
      let facts = RegistryFacts(FakeNode.entry)
      #expect(try await client.registry() == [facts])
      let request = PublishRequest(model: "tiny", name: "small", location: nil)
      #expect(try await client.publish(request) == facts)
      var stages: [RegistryEventFacts.Stage] = []
      try await client.watchRegistry { event in
        #expect(event.entry == facts && event.change == .register && event.sequence == 1)
        stages.append(event.stage)
      }
      #expect(stages == [.seen, .final])
      let refusal = await #expect(throws: ClientError.self) {
        try await client.retire(RetireRequest(name: "other"))
      }
      guard case .refused(404, let error) = refusal else {
        Issue.record("not refused as unknown: \(String(describing: refusal))")
        return
      }
      #expect(error.code == "name_not_found")
    }
  }

  @Test func `accounts are shown and settled through the gateway`() async throws {
    try await served(FakeNode()) { address in
      let client = GatewayClient(address: address)
      let facts = try await client.credits()
      #expect(facts == CreditsFacts(FakeNode.credits))
      #expect(facts.accounts.map(\.side) == [.earns] && facts.earned == "7" && facts.asks == 3)
      #expect(try await client.settle(SettleRequest(peer: nil)).asked == 2)
      let peer = PeerID(.repeated(5)).raw.hex
      #expect(try await client.settle(SettleRequest(peer: peer)).asked == 1)
      let refusal = await #expect(throws: ClientError.self) {
        try await client.settle(SettleRequest(peer: "nobody"))
      }
      guard case .refused(400, let error) = refusal else {
        Issue.record("not refused: \(String(describing: refusal))")
        return
      }
      #expect(error.param == "peer")
    }
  }

  private static func request(
    _ model: String = "tiny", tokens: Int = 3
  ) -> RunRequest {
    RunRequest(
      GenerationRequest(
        model: model, prompt: .tokens([5, 6]),
        options: GenerationOptions(maximumTokens: tokens, sampling: .greedy, stop: ["x"]),
        objective: .spread))
  }

  @Test func `a run tells every event in order and ends with the whole result`() async throws {
    let node = FakeNode()
    let (events, result) = try await served(node) { address in
      var events: [RunEvent] = []
      let result = try await GatewayClient(address: address).run(Self.request()) {
        events.append($0)
      }
      return (events, result)
    }
    let id = node.peer.raw.hex
    let share = RunResult.Member(id: id, share: 1)
    #expect(
      events == [
        .fetching(peer: id, remainingBytes: 10, totalBytes: 30),
        .started(
          job: FakeNode.jobID.raw.hex, model: "tiny", manifest: FakeNode.entry.model.raw.hex,
          plan: FakeNode.planID.raw.hex, peers: [share], promptTokens: [5, 6]),
        .token(token: 0, text: "word0 ", cost: .init(.zero)),
        .token(token: 1, text: "word1 ", cost: .init(.zero)),
        .token(token: 2, text: "word2 ", cost: .init(.zero)),
      ])
    // The clock moves by 1 ms at each look: request, two at its turn, fetching, started, tokens.
    var timing = RunResult.Timing()
    timing.promptSeconds = 0.001
    timing.firstTokenSeconds = 0.005
    timing.tokensPerSecond = 1_000
    timing.stallSecondsMax = 0.001
    #expect(
      result
        == RunResult(
          job: FakeNode.jobID.raw.hex, model: "tiny", manifest: FakeNode.entry.model.raw.hex,
          plan: FakeNode.planID.raw.hex, peers: [share], promptTokens: [5, 6], tokens: [0, 1, 2],
          text: "word0 word1 word2 ", finish: "length", digest: FakeNode.digest.hex,
          timing: timing, cachedTokens: 0))
    let asked = try #require(node.requests.first)
    #expect(asked.options == GenerationOptions(maximumTokens: 3, sampling: .greedy, stop: ["x"]))
    #expect(asked.objective == .spread)
  }

  @Test func `a client goes on at a witness, and hears every token once`() async throws {
    let (events, result) = try await served(FakeNode()) { witness in
      let (addresses, found) = AsyncStream.makeStream(of: Endpoint.self)
      let (heard, hear) = AsyncStream.makeStream(of: RunEvent.self)
      return try await withThrowingTaskGroup(of: RunResult?.self) { group in
        group.addTask {
          defer { hear.finish() }
          for await address in addresses {
            // The entry is closed here; a busy machine may well be silent for longer than usual.
            let client = GatewayClient(address: address, silence: .seconds(60))
            return try await client.run(Self.request()) { hear.yield($0) }
          }
          return nil
        }
        // Serves until the client has heard of the witness and of one token, and is gone.
        try await served(FakeNode(.hangsBefore(witness))) { address in
          found.yield(address)
          for await event in heard { if case .token = event { break } }
        }
        var rest: [RunEvent] = []
        for await event in heard { rest.append(event) }
        return (rest, try await group.next() ?? nil)
      }
    }
    let expected = (1..<FakeNode.resumedTokens).map {
      RunEvent.token(token: UInt32($0), text: "word\($0) ", cost: .init(.zero))
    }
    #expect(events.filter { if case .fetching = $0 { false } else { true } } == expected)
    #expect(result?.resumed == 1)
    #expect(result?.tokens.count == FakeNode.resumedTokens)
  }

  @Test func `a job that nobody keeps is not gone on with`() async throws {
    try await served(FakeNode()) { address in
      let unknown = String(repeating: "ab", count: 32)
      let answer = try await raw(
        .POST, "/api/resume", to: address, body: "{\"job\":\"\(unknown)\",\"shown\":0}")
      #expect(answer.body.contains("job_not_found"))
      let broken = try await raw(
        .POST, "/api/resume", to: address, body: "{\"job\":\"12\",\"shown\":0}")
      #expect(broken.status == 400)
    }
  }

  @Test func `the job ends when its client goes`() async throws {
    let node = FakeNode(.hangs)
    struct Enough: Error {}
    try await served(node) { address in
      await #expect(throws: Enough.self) {
        try await GatewayClient(address: address).run(Self.request()) { event in
          if case .token = event { throw Enough() }
        }
      }
      // Returns only once the node saw the cancellation.
      for await _ in node.cancelled.stream { break }
    }
  }

  @Test func `a cancelled client ends its job`() async throws {
    let node = FakeNode(.hangs)
    try await served(node) { address in
      let (tokens, continuation) = AsyncStream.makeStream(of: Void.self)
      await withTaskGroup(of: Void.self) { group in
        group.addTask {
          await #expect(throws: CancellationError.self) {
            try await GatewayClient(address: address).run(Self.request()) { event in
              if case .token = event { continuation.yield() }
            }
          }
        }
        for await _ in tokens { break }
        group.cancelAll()
      }
      for await _ in node.cancelled.stream { break }
    }
  }

  @Test func `a failure after the start is an event`() async throws {
    let lost = PeerID(.repeated(9))
    try await served(FakeNode(.fails(NodeError.failed(.peerLost(lost))))) { address in
      await #expect {
        try await GatewayClient(address: address).run(Self.request()) { _ in }
      } throws: { error in
        guard case ClientError.failed(let facts)? = error as? ClientError else { return false }
        return facts.code == "peer_lost" && facts.message.contains(lost.short)
      }
    }
  }

  @Test func `an unknown model is refused before the answer begins`() async throws {
    try await served(FakeNode()) { address in
      await #expect {
        try await GatewayClient(address: address).run(Self.request("huge")) { _ in }
      } throws: { error in
        guard case ClientError.refused(404, let facts)? = error as? ClientError else {
          return false
        }
        return facts.code == "model_not_found"
      }
    }
  }

  @Test func `more generations than the bound are refused, and the place comes back`() async throws
  {
    var bounds = Gateway.Bounds()
    bounds.admission = .init(running: 1, waiting: 0, waitingOfOne: 0)
    let node = FakeNode(.hangs)
    try await served(node, bounds: bounds) { address in
      let client = GatewayClient(address: address)
      struct Enough: Error {}
      await #expect(throws: Enough.self) {
        try await client.run(Self.request()) { event in
          guard case .token = event else { return }
          await #expect {
            try await client.run(Self.request()) { _ in }
          } throws: { error in
            guard case ClientError.refused(503, let facts)? = error as? ClientError else {
              return false
            }
            return facts.code == "busy"
          }
          throw Enough()
        }
      }
      for await _ in node.cancelled.stream { break }
    }
  }

  @Test func `a job that runs is listed, with no more of its id than the beginning`() async throws {
    let node = FakeNode(.hangs)
    try await served(node) { address in
      let client = GatewayClient(address: address)
      struct Enough: Error {}
      await #expect(throws: Enough.self) {
        try await client.run(Self.request()) { event in
          guard case .token = event else { return }
          let job = try #require(try await client.jobs().first)
          #expect(job.id == FakeNode.jobID.raw.hex.prefix(8))
          #expect(job.model == "tiny" && job.state == "running")
          #expect(job.promptTokens == 2 && job.tokens == 1)
          throw Enough()
        }
      }
      for await _ in node.cancelled.stream { break }
    }
  }

  @Test func `peers, models and plans arrive as they were`() async throws {
    let node = FakeNode()
    try await served(node) { address in
      let client = GatewayClient(address: address)
      #expect(try await client.peers() == node.peers().map { PeerFacts($0) })
      #expect(try await client.models() == node.models().map { ModelFacts($0) })
      let plan = try await client.plan(model: "tiny", objective: .spread, context: 64)
      let expected = PlanFacts(
        try await node.plan(model: "tiny", objective: .spread, context: 64))
      #expect(plan == expected)
      #expect(plan.tokensPerSecond == 20)
      #expect(plan.planMilliseconds == 2)
      #expect(plan.excluded.map(\.reason) == ["does not offer to compute"])
    }
  }

  @Test func `an import tells its progress and its model`() async throws {
    try await served(FakeNode()) { address in
      let client = GatewayClient(address: address)
      var seen: [UInt64] = []
      let model = try await client.importModel(path: "/models/tiny.gguf") { done, _ in
        seen.append(done)
      }
      #expect(model == ModelFacts(FakeNode.entry))
      #expect(seen == [1_000])
      await #expect(throws: ClientError.self) {
        try await client.importModel(path: "tiny.gguf") { _, _ in }
      }
    }
  }

  @Test func `leaving reaches the node`() async throws {
    let node = FakeNode()
    let unplaced = try await served(node) { address in
      var last: LeaveEvent?
      let unplaced = try await GatewayClient(address: address).leave { last = $0 }
      #expect(last == .left(unplaced: 1))
      return unplaced
    }
    #expect(unplaced == 1)
    #expect(node.hasLeft)
  }

  @Test func `where nothing listens, no peer runs`() async throws {
    let address = try await served(FakeNode()) { address in
      #expect(await GatewayClient(address: address).isRunning())
      return address
    }
    #expect(await !GatewayClient(address: address).isRunning())
    await #expect(throws: ClientError.notRunning(address)) {
      try await GatewayClient(address: address).peers()
    }
  }

  @Test func `metrics count what was done`() async throws {
    let text = try await served(FakeNode()) { address in
      _ = try await GatewayClient(address: address).run(Self.request()) { _ in }
      return try await raw(.GET, "/metrics", to: address).body
    }
    for line in [
      "shoal_peers_alive 1", "shoal_jobs_total 1", "shoal_tokens_generated_total 3",
      "shoal_prompt_tokens_total 2", "shoal_job_failures_total 0", "shoal_http_requests_total 2",
    ] {
      #expect(text.split(separator: "\n").contains(Substring(line)), "\(line)")
    }
  }
}
