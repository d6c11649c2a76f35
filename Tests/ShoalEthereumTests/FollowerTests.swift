// The follower over JSON-RPC: whatever the line, the node and the chain do, it ends with the logs
// of the chain, and a restart goes on where it was.

import ShoalEthereum
import ShoalLedger
import ShoalProtocol
import Synchronization
import Testing

struct FollowerTests {
  private static let descriptor = ChainDescriptor(
    chain: 1_337, nodes: ["http://127.0.0.1:1"], modelRegistry: .zero, confirmations: 6)

  private static func client(_ node: FakeNode, tries: Int = 2) -> ChainNode {
    ChainNode(RPCClient(node, tries: tries, sleep: { _ in }))
  }

  @Test(arguments: 1...100 as ClosedRange<UInt64>)
  func `every log counts once, through reorganisations, broken lines, busy nodes and restarts`(
    _ seed: UInt64
  ) async throws {
    let node = FakeNode(seed: seed)
    let kept = Mutex<[UInt8]?>(nil)
    let undone = Mutex(0)
    var chance = SplitMix(state: seed &+ 5)
    func follower() throws -> ChainFollower {
      let state = try kept.withLock { try $0.map { try FollowerState(bytes: $0) } }
      return ChainFollower(
        Self.descriptor, nodes: [Self.client(node)], from: state,
        keep: { state in kept.withLock { $0 = state.bytes } })
    }
    var peer = try follower()
    for round in 0..<60 {
      if round == 50 { node.state.withLock { $0.isQuiet = true } }
      if Int.random(in: 0..<6, using: &chance) == 0 { peer = try follower() }
      try await peer.poll { news in
        let count = news.events.count { if case .undone = $0 { true } else { false } }
        undone.withLock { $0 += count }
      }
    }
    let bytes = try #require(kept.withLock { $0 })
    let state = try FollowerState(bytes: bytes)
    node.state.withLock { node in
      #expect(state.logs == node.chain.canonical(upTo: node.chain.head))
      #expect(node.faults > 0)
    }
    #expect(seed != 7 || undone.withLock { $0 } > 0)
    for count in stride(from: 0, to: bytes.count, by: 97) {
      #expect(throws: WireError.self) { try FollowerState(bytes: Array(bytes[..<count])) }
    }
  }

  @Test func `a node of another chain is refused, with both numbers`() async throws {
    let node = FakeNode(seed: 1)
    node.state.withLock { $0.isQuiet = true }
    var descriptor = Self.descriptor
    descriptor.chain = 1
    let follower = ChainFollower(descriptor, nodes: [Self.client(node)])
    await #expect(throws: FollowerError.otherChain(expected: 1, found: 1_337)) {
      try await follower.poll { _ in }
    }
  }

  @Test func `a busy node is asked again, with pauses that grow, and then given up`() async throws {
    let node = FakeNode(seed: 1)
    let busy = RPCReply(status: 429, body: [], retryAfter: 3)
    let answer = RPCReply(status: 200, body: try FakeNode.result(.quantity(9)))
    node.state.withLock { $0.script = [busy, RPCReply(status: 503, body: []), answer] }
    let pauses = Mutex<[Duration]>([])
    let client = RPCClient(
      node, tries: 3, sleep: { pause in pauses.withLock { $0.append(pause) } })
    #expect(try await client.call("eth_blockNumber") == .quantity(9))
    #expect(pauses.withLock { $0 } == [.seconds(3), .milliseconds(400)])
    node.state.withLock { $0.script = [busy, busy, busy, answer] }
    await #expect(throws: RPCError.busy(status: 429, tries: 3)) {
      try await client.call("eth_blockNumber")
    }
  }

  @Test func `a node's error keeps its code, its words and its data`() async throws {
    let node = FakeNode(seed: 1)
    let body = try RPCValue.object([
      "jsonrpc": .string("2.0"), "id": .integer(1),
      "error": .object([
        "code": .integer(3), "message": .string("execution reverted"), "data": .string("0x08c3"),
      ]),
    ]).json
    node.state.withLock {
      $0.script = [
        RPCReply(status: 200, body: body), RPCReply(status: 404, body: Array("no".utf8)),
        RPCReply(status: 200, body: Array("{}".utf8)),
      ]
    }
    let client = RPCClient(node, tries: 1, sleep: { _ in })
    await #expect(
      throws: RPCError.refused(code: 3, message: "execution reverted", data: [0x08, 0xc3])
    ) { try await client.call("eth_call") }
    await #expect(throws: RPCError.http(status: 404)) { try await client.call("eth_call") }
    await #expect(throws: RPCError.malformed("neither result nor error")) {
      try await client.call("eth_call")
    }
  }

  @Test func `a descriptor survives its settings, and wrong ones are named`() throws {
    for descriptor in ChainDescriptor.known.values + [Self.descriptor] {
      #expect(try ChainDescriptor(settings: descriptor.settings) == descriptor)
    }
    var settings = Self.descriptor.settings
    settings["model_registry"] = "0x12"
    #expect(throws: ChainDescriptorError.invalid("model_registry", "0x12")) {
      try ChainDescriptor(settings: settings)
    }
    #expect(throws: ChainDescriptorError.missing("nodes")) {
      try ChainDescriptor(settings: ["chain": "1"])
    }
    #expect(throws: ChainDescriptorError.unknown("chian")) {
      try ChainDescriptor(settings: ["chain": "1", "nodes": "http://a", "chian": "2"])
    }
  }
}
