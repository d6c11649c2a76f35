// Bounds of a node, reached: connections that nobody uses, lanes, audits.

import Foundation
import ShoalInference
import ShoalNode
import ShoalProtocol
import ShoalSecurity
import ShoalSystem
import Testing

@Suite struct IdleLinkLimitTests {
  private static func peer(_ number: Int) -> PeerID {
    PeerID(Bytes32((0..<32).map { $0 < 2 ? UInt8(number >> (8 * $0) & 255) : 0 }) ?? .zero)
  }
  private static let start = Moment(nanoseconds: 0)

  @Test func `of one peer so many connections are kept, and of all together so many`() {
    var shelf = IdleShelf<Int>()
    for number in 0..<Limits.idleLinksPerPeer {
      #expect(shelf.keep(number, of: Self.peer(0), at: Self.start) == [])
    }
    #expect(shelf.keep(99, of: Self.peer(0), at: Self.start) == [99])
    for number in 1..<2 * Limits.idleLinks {
      let surplus = shelf.keep(number, of: Self.peer(number), at: Self.start)
      let isFull = number > Limits.idleLinks - Limits.idleLinksPerPeer
      #expect(surplus == (isFull ? [number] : []))
    }
    #expect(shelf.count == Limits.idleLinks)
    #expect(shelf.drop(Self.peer(0)) == Array(0..<Limits.idleLinksPerPeer))
    #expect(shelf.keep(7, of: Self.peer(9_000), at: Self.start) == [])
    #expect(shelf.dropAll().count == Limits.idleLinks - Limits.idleLinksPerPeer + 1)
    #expect(shelf.count == 0)
  }

  @Test func `a connection is kept for its life, and the one that was used last goes first`() {
    var shelf = IdleShelf<Int>()
    let half = Limits.idleLinkLife / 2
    _ = shelf.keep(1, of: Self.peer(1), at: Self.start)
    _ = shelf.keep(2, of: Self.peer(1), at: Self.start + half)
    let old = Self.start + Limits.idleLinkLife
    var early = shelf
    let before = early.take(Self.peer(2), at: old + .nanoseconds(-1))
    #expect(before.connection == nil && before.expired == [])
    let after = shelf.take(Self.peer(1), at: old)
    #expect(after.connection == 2 && after.expired == [1])
    #expect(shelf.count == 0)
    // Whoever answers waits longer than whoever dials keeps.
    #expect(Limits.idleLinkWait > Limits.idleLinkLife)
  }
}

@Suite struct LaneLimitTests {
  @Test func `a lane is as long as its jobs need, in steps that let others in, up to the model`() {
    for (needed, model, length) in [
      (1, 1 << 20, Limits.laneContext), (Limits.laneContext, 1 << 20, Limits.laneContext),
      (Limits.laneContext + 1, 1 << 20, 2 * Limits.laneContext),
      (Limits.laneContext + 1, Limits.laneContext + 7, Limits.laneContext + 7),
      (9, 512, 512),
    ] { #expect(Limits.laneContext(for: needed, model: model) == length) }
  }

  @Test func `one step of so many is audited where anybody may join, and none among friends`()
    throws
  {
    var chance = RandomSourceGenerator(Entropy())
    let identity = PeerIdentity(using: &chance)
    let open = try NetworkDescriptor(name: "open", admission: .open)
    let closed = try NetworkDescriptor(
      name: "closed", admission: .key, privateKey: NetworkKey(using: &chance))
    for (network, stated, interval) in [
      (open, nil, Limits.auditInterval), (closed, nil, nil), (closed, 7, 7), (open, 0, nil),
    ] as [(NetworkDescriptor, Int?, Int?)] {
      var configuration = NodeConfiguration(
        network: network, identity: identity,
        record: CapabilityRecord(
          peer: identity.id, version: 1, handshakeKey: identity.staticKey.key.raw, endpoints: [],
          memory: .init(total: .zero, usable: .zero),
          compute: .init(cores: 1, matrixVector: .init(f32: 0, f16: 0, q8: 0, q4: 0))),
        resources: ComputeResources(kernels: Kernels(), threadsPerJob: 1, emulated: nil),
        bootstrap: [], waiting: .sleep)
      configuration.audit = stated
      #expect(configuration.auditInterval == interval)
    }
  }
}
