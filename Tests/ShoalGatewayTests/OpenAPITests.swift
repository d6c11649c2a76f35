// The file that describes the API, against the API.

import Foundation
import NIOHTTP1
import ShoalGateway
import Testing

struct OpenAPITests {
  @Test func `every operation that the file names is served, and no other method of its path`()
    async throws
  {
    try await served(FakeNode()) { address in
      let file = try await raw(.GET, "/openapi.json", to: address)
      #expect(file.headers["content-type"] == "application/json")
      let paths = try #require(try file.json()["paths"] as? [String: [String: Any]])
      #expect(paths.count >= 20)
      for (path, operations) in paths {
        let isPost = operations["post"] != nil
        #expect(isPost != (operations["get"] != nil), "\(path)")
        let answer = try await raw(
          isPost ? .POST : .GET, path, to: address, body: isPost ? "{}" : nil)
        let isMissing = answer.status == 404 && answer.body.contains("no_route")
        #expect(!isMissing, "\(path)")
        // What it answers is described.
        let operation = operations[isPost ? "post" : "get"] as? [String: Any]
        let responses = try #require(operation?["responses"] as? [String: Any])
        #expect(responses["\(answer.status)"] != nil, "\(path): \(answer.status)")
      }
    }
  }

  @Test func `every reference in the file leads somewhere`() async throws {
    let file = try await served(FakeNode()) { try await raw(.GET, "/openapi.json", to: $0) }
    let components = try #require(try file.json()["components"] as? [String: [String: Any]])
    let schemas = try #require(components["schemas"])
    let references = file.body.matches(of: #/"#/components/schemas/(\w+)"/#).map {
      String($0.output.1)
    }
    #expect(references.count > 20)
    for name in references { #expect(schemas[name] != nil, "\(name)") }
  }
}
