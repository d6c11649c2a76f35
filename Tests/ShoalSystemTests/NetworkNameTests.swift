// Addresses as people write them.

import ShoalProtocol
import ShoalSystem
import Testing

@Suite struct NetworkNameTests {
  @Test(
    "a number stands for itself", arguments: ["192.0.2.1:7432", "[2001:db8::1]:7432"])
  func numbers(text: String) throws {
    #expect(try Endpoint.resolve(text).map(\.description) == [text])
  }

  @Test("localhost is a loopback address with the port asked for")
  func localhost() throws {
    let endpoints = try Endpoint.resolve("localhost:7432")
    #expect(!endpoints.isEmpty)
    #expect(endpoints.allSatisfy { $0.isLoopback && $0.port == 7432 })
  }

  @Test(
    "without host or port there is no address",
    arguments: [
      "localhost", "localhost:", "localhost:0", "localhost:70000", ":7432", "2001:db8::1",
    ])
  func incomplete(text: String) {
    #expect(throws: AddressError.noPort(text)) { try Endpoint.resolve(text) }
  }

  @Test("a host that nobody knows is named with the resolver's reason")
  func unknown() {
    // RFC 6761, section 6.4: no resolver knows a name under `invalid`.
    let error = #expect(throws: AddressError.self) { try Endpoint.resolve("shoal.invalid:7432") }
    guard case .unknownHost("shoal.invalid", let reason) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(!reason.isEmpty)
  }
}
