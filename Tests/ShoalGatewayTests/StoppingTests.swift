// A gateway that is told to stop while clients come.

import NIOCore
import NIOPosix
import ShoalGateway
import ShoalProtocol
import Testing

@Suite struct StoppingTests {
  /// NIO ends the whole process where an accepted connection is dropped without an end, so that
  /// reaching the end of this test is what it shows.
  @Test("connections that wait to be accepted when a gateway stops are closed, not dropped")
  func stopsUnderConnections() async throws {
    for _ in 0..<50 {
      let clients = try await served(FakeNode()) { address in
        let bootstrap = ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        let clients = (0..<48).map { _ in
          bootstrap.connect(host: "127.0.0.1", port: Int(address.port))
        }
        // The first is there, and the others are somewhere between the two sides.
        _ = try await clients[0].get()
        return clients
      }
      for client in clients {
        guard let channel = try? await client.get() else { continue }
        // Whoever came to a connection sees its end: nobody is left waiting.
        try await channel.closeFuture.get()
      }
    }
  }
}
