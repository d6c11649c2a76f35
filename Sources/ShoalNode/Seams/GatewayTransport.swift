// Datagrams to and from the router that leads out of this machine's network.

public import ShoalProtocol

public protocol GatewayTransport: Sendable {
  /// This machine's address towards it.
  var client: Endpoint { get }

  /// May be lost, as any datagram.
  func send(_ bytes: [UInt8])

  /// The next datagram of the router, and of nobody else. Nil at `deadline`, or where the task was
  /// cancelled. One caller.
  func receive(until deadline: Moment?) async -> [UInt8]?
}
