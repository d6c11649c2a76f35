// A peer behind a router that lets others in, and behind one that does not: a router on loopback that
// speaks by the byte tables of RFC 6887 and RFC 6886.

import Foundation
import ShoalNode
import ShoalProtocol
import ShoalSystem
import Synchronization
import Testing

/// Answers what it is asked, by one of the two, and counts.
private final class LoopbackRouter: Sendable {
  let method: PortMappingMethod
  private let transport: UDPTransport
  private let outside: [UInt8]
  /// Questions that asked for no more life.
  private let released = Atomic<Int>(0)

  init(_ method: PortMappingMethod, outside: [UInt8]) throws {
    self.method = method
    self.outside = outside
    transport = try UDPTransport(listen: try #require(Endpoint("127.0.0.1:0")), beaconPort: 0)
  }

  func socket() throws -> GatewaySocket {
    try GatewaySocket(gateway: transport.localEndpoints[0])
  }

  var releases: Int { released.load(ordering: .relaxed) }

  func run() async {
    for await datagram in transport.received {
      if let answer = answer(datagram.bytes) { transport.send(answer, to: datagram.from) }
    }
  }

  func close() { transport.close() }

  private func answer(_ question: [UInt8]) -> [UInt8]? {
    // Whoever asked has gone, says the system.
    guard let version = question.first else { return nil }
    switch (method, version) {
    case (.pcp, 2):
      guard question.count == 60, question[1] == 1 else { return nil }
      count(lifetime: question[4..<8])
      return [2, 0x81, 0, 0] + question[4..<8] + [UInt8](repeating: 0, count: 16)
        + question[24..<42] + [0xc3, 0x50] + [UInt8](repeating: 0, count: 10) + [0xff, 0xff]
        + outside
    case (.natPMP, 0):
      if question == [0, 0] { return [0, 0x80, 0, 0, 0, 0, 0, 1] + outside }
      guard question.count == 12 else { return nil }
      count(lifetime: question[8..<12])
      return [0, question[1] | 0x80, 0, 0, 0, 0, 0, 1] + question[4..<6] + [0xc3, 0x50]
        + question[8..<12]
    // Of another version.
    case (.natPMP, _): return [0, 0x80, 0, 1, 0, 0, 0, 1]
    case (.pcp, _): return nil
    }
  }

  private func count(lifetime: ArraySlice<UInt8>) {
    if lifetime.allSatisfy({ $0 == 0 }) { released.wrappingAdd(1, ordering: .relaxed) }
  }
}

extension RealTimeTests {
  @Suite(.timeLimit(.minutes(10))) struct PortMapperTests {
    /// Two peers, the first of them behind the router.
    private static func behind(
      _ router: LoopbackRouter, _ body: @escaping @Sendable (TestMesh, [Node]) async throws -> Void
    ) async throws {
      let socket = try router.socket()
      let world = try TestMesh(peers: 2, gateway: { $0 == 0 ? socket : nil })
      defer { world.remove() }
      try await withThrowingTaskGroup { group in
        group.addTask { await router.run() }
        try await world.run { try await body(world, $0) }
        // Only now has the peer said that it goes.
        router.close()
        try await group.waitForAll()
      }
    }

    @Test(arguments: PortMappingMethod.allCases)
    func `a peer whose router lets others in says so in its record, that address first`(
      _ method: PortMappingMethod
    ) async throws {
      let router = try LoopbackRouter(method, outside: [203, 0, 113, 7])
      let outside = try #require(Endpoint("203.0.113.7:50000"))
      try await Self.behind(router) { world, nodes in
        try await world.until {
          await nodes[1].peers().contains { $0.record.endpoints.first == outside }
        }
        let own = try #require(await nodes[0].peers().first)
        #expect(own.portMapping == .mapped(PortMapping(method: method, outside: outside)))
        #expect(own.record.endpoints.count > 1)
        #expect(await nodes[1].peers().first?.portMapping == nil)
      }
    }

    @Test func `a router that is behind another one is told of, and announced nowhere`()
      async throws
    {
      let router = try LoopbackRouter(.natPMP, outside: [100, 64, 0, 2])
      let outside = try #require(Endpoint("100.64.0.2:50000"))
      try await Self.behind(router) { world, nodes in
        try await world.until {
          await nodes[0].peers().first?.portMapping == .failed(.nested(outside))
        }
        let own = try #require(await nodes[0].peers().first)
        #expect(!own.record.endpoints.contains { $0.address == outside.address })
      }
    }
  }
}
