// UDP on loopback: datagrams, beacons, and what a stranger cannot do.

import ShoalNode
import ShoalProtocol
import ShoalSystem
import Testing

private func open(_ address: String = "127.0.0.1:0", beacons: UInt16 = 0) throws -> UDPTransport {
  try UDPTransport(listen: #require(Endpoint(address)), beaconPort: beacons)
}

@Suite(.timeLimit(.minutes(10))) struct UDPTests {
  @Test(
    "a datagram arrives whole, with the address to answer", arguments: ["127.0.0.1:0", "[::1]:0"])
  func exchange(address: String) async throws {
    let (left, right) = (try open(address), try open(address))
    var (toLeft, toRight) = (
      left.received.makeAsyncIterator(), right.received.makeAsyncIterator()
    )
    left.send([1, 2, 3], to: right.localEndpoints[0])
    let arrived = try #require(await toRight.next())
    #expect(
      arrived == Datagram(bytes: [1, 2, 3], from: left.localEndpoints[0], isBeacon: false))
    right.send([], to: arrived.from)
    #expect(await toLeft.next()?.bytes == [])
  }

  #if os(Linux)
    @Test(
      "an address where nobody listens is told, and what goes elsewhere arrives",
      arguments: ["127.0.0.1:0", "[::1]:0"])
    func refusals(address: String) async throws {
      let (left, right) = (try open(address), try open(address))
      let nobody = try { () throws in try open(address).localEndpoints[0] }()
      var toRight = right.received.makeAsyncIterator()
      // Its thread lets the socket go a moment later.
      await withTaskGroup(of: Void.self) { group in
        group.addTask {
          while !Task.isCancelled {
            left.send([1], to: nobody)
            await Task.yield()
          }
        }
        var toLeft = left.received.makeAsyncIterator()
        #expect(await toLeft.next() == Datagram(refusedAt: nobody))
        group.cancelAll()
      }
      for number in UInt8(2)...9 {
        left.send([1], to: nobody)
        left.send([number], to: right.localEndpoints[0])
        #expect(await toRight.next()?.bytes == [number])
      }
      #expect(left.counters.unsent == 0)
    }
  #endif

  @Test("one that is too long is refused and counted, and the next arrives")
  func tooLong() async throws {
    let (left, right) = (try open(), try open())
    var toRight = right.received.makeAsyncIterator()
    for size in [Limits.datagramBytes + 1, 9_000, Limits.datagramBytes] {
      left.send([UInt8](repeating: 9, count: size), to: right.localEndpoints[0])
    }
    #expect(await toRight.next()?.bytes.count == Limits.datagramBytes)
    #expect(right.counters.refused == 2)
    #expect(right.counters.received == 1)
  }

  @Test("a full queue drops the newest and counts them")
  func bounded() async throws {
    let (left, right) = (try open(), try open())
    let total = Limits.datagramQueue + 200
    // In portions, so that the kernel's own queue does not lose them first.
    for number in 0..<total {
      left.send([UInt8(number & 255), UInt8(number >> 8)], to: right.localEndpoints[0])
      while right.counters.received + right.counters.shed + 64 < UInt64(number) {
        await Task.yield()
      }
    }
    while right.counters.received + right.counters.shed < UInt64(total) { await Task.yield() }
    #expect(right.counters.received == UInt64(Limits.datagramQueue))
    #expect(right.counters.shed == 200)
    var toRight = right.received.makeAsyncIterator()
    #expect(await toRight.next()?.bytes == [0, 0])
  }

  @Test("closing ends what is received")
  func close() async throws {
    let transport = try open()
    var received = transport.received.makeAsyncIterator()
    transport.close()
    #expect(await received.next() == nil)
  }

  @Test("three peers on loopback hear each other's beacons, not their own")
  func beacons() async throws {
    let first = try open()
    let peers = try [first] + (0..<2).map { _ in try open(beacons: first.beaconPort) }
    for (number, peer) in peers.enumerated() { peer.beacon([UInt8(number)]) }
    for (number, peer) in peers.enumerated() {
      var received = peer.received.makeAsyncIterator()
      var heard: [Datagram] = []
      while heard.count < 2, let next = await received.next() { heard.append(next) }
      let others = (0..<3).filter { $0 != number }
      let expected = others.map {
        Datagram(bytes: [UInt8($0)], from: peers[$0].localEndpoints[0], isBeacon: true)
      }
      #expect(heard.sorted { $0.bytes[0] < $1.bytes[0] } == expected)
      #expect(peer.counters.unsent == 0)
      #expect(peer.counters.received == 2)
    }
  }

  @Test("a port in use is a configuration error that names it; peers on one port are open for both")
  func inUse() throws {
    let first = try open()
    let taken = first.localEndpoints[0]
    #expect(throws: ListenError.addressInUse(taken, .datagrams)) { try open("\(taken)") }
    let sockets = try PeerSockets.open(
      listen: #require(Endpoint("127.0.0.1:0")), beaconPort: 0)
    #expect(sockets.datagrams.localEndpoints == sockets.streams.localEndpoints)
    #expect(sockets.localEndpoints[0].port > 0)
  }
}
