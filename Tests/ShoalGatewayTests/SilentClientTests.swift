// Clients that connect and do not ask: the next one takes the place of the longest silent.

import NIOCore
import NIOHTTP1
import NIOPosix
import ShoalGateway
import ShoalProtocol
import Testing

@Suite(.timeLimit(.minutes(10))) struct SilentClientTests {
  private static func connect(_ address: Endpoint, saying text: String) async throws -> any Channel
  {
    let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .connect(host: "127.0.0.1", port: Int(address.port)).get()
    if !text.isEmpty { try await channel.writeAndFlush(ByteBuffer(string: text)).get() }
    return channel
  }

  @Test(
    arguments: [
      "", "GET /hea", "POST /api/run HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{",
      "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ])
  func `silent clients keep nobody out`(_ said: String) async throws {
    var bounds = Gateway.Bounds()
    (bounds.connections, bounds.silent, bounds.silentFromOne) = (12, 8, 8)
    try await served(FakeNode(), bounds: bounds) { address in
      var silent: [any Channel] = []
      for _ in 0..<40 { silent.append(try await Self.connect(address, saying: said)) }
      let answer = try await raw(.GET, "/health", to: address)
      #expect(answer.status == 200)
      // The longest silent have been closed for the others.
      for channel in silent.prefix(30) { try await channel.closeFuture.get() }
      for channel in silent.dropFirst(30) { channel.close(promise: nil) }
    }
  }
}
