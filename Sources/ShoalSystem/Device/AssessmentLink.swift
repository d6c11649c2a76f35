// What this machine's own TCP carries from one of its threads to another: the most that any link
// of it can deliver.

import ShoalInference
import ShoalNode
import ShoalProtocol

/// Over loopback, through the sockets of the data path.
public struct LoopbackSpeed: Hashable, Sendable {
  public let bytesPerSecond: UInt64
  /// Of 4 KiB each way: a partial sum of a model of 2,048 hidden elements.
  public let roundTrip: Duration
}

enum LoopbackProbe {
  private static let rounds = 200
  private static let roundBytes = 4 << 10
  private static let blocks = 64
  private static let blockBytes = 1 << 20
  private static let patience = Duration.seconds(5)

  struct Ends: Sendable {
    let transport: TCPTransport
    let near: any DirectLink
    let far: any DirectLink
  }

  static func connect() async throws -> Ends {
    guard let loopback = Endpoint(address: [127, 0, 0, 1], port: 0) else {
      preconditionFailure("four bytes are an address")
    }
    let deadline = SystemClock().now() + patience
    let transport = try TCPTransport(listen: loopback, openLimit: 1)
    guard let endpoint = transport.localEndpoints.first else { throw LinkError.closed }
    let near = try await transport.connect(to: endpoint, deadline: deadline)
    var arrivals = transport.accepted.makeAsyncIterator()
    guard let far = await arrivals.next() else { throw LinkError.closed }
    return Ends(
      transport: transport, near: try near.takeDirect(waiting: .sleep),
      far: try far.takeDirect(waiting: .sleep))
  }

  /// Blocks for some tens of milliseconds, two seconds on the slowest of machines.
  static func measure(_ ends: Ends) throws -> LoopbackSpeed {
    let far = ends.far
    let echo = try SystemThread(name: "shoal-echo") {
      // Its failure closes the connection, which fails the near end with the reason.
      try? answer(far)
      far.shutdown()
    }
    defer {
      ends.near.shutdown()
      echo.join()
      ends.transport.close()
    }
    let roundTrip = try roundTrip(ends.near)
    return LoopbackSpeed(bytesPerSecond: try throughput(ends.near), roundTrip: roundTrip)
  }

  private static func roundTrip(_ link: any DirectLink) throws(LinkError) -> Duration {
    let buffer = Block(roundBytes)
    var times: [Int64] = []
    for _ in 0..<rounds {
      let start = SystemClock.nanoseconds()
      try buffer.send(link)
      try buffer.receive(link)
      times.append(SystemClock.nanoseconds() - start)
    }
    return .nanoseconds(times.sorted()[rounds / 2])
  }

  private static func throughput(_ link: any DirectLink) throws(LinkError) -> UInt64 {
    let block = Block(blockBytes)
    let end = Block(1)
    let start = SystemClock.nanoseconds()
    for _ in 0..<blocks { try block.send(link) }
    try end.receive(link)
    let elapsed = max(1, SystemClock.nanoseconds() - start)
    return UInt64(Double(blocks * blockBytes) * 1e9 / Double(elapsed))
  }

  private static func answer(_ link: any DirectLink) throws(LinkError) {
    let small = Block(roundBytes)
    for _ in 0..<rounds {
      try small.receive(link)
      try small.send(link)
    }
    let block = Block(blockBytes)
    for _ in 0..<blocks { try block.receive(link) }
    let end = Block(1)
    try end.send(link)
  }

  private struct Block {
    private let bytes: AlignedBytes

    init(_ count: Int) { bytes = AlignedBytes(count: count) }

    func send(_ link: any DirectLink) throws(LinkError) {
      unsafe try link.send(bytes.bytes)
    }

    func receive(_ link: any DirectLink) throws(LinkError) {
      unsafe try link.receive(
        into: bytes.mutableBytes, deadline: SystemClock().now() + LoopbackProbe.patience)
    }
  }
}
