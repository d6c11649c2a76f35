// The dashboard as a browser is given it.

import Foundation
import NIOHTTP1
import ShoalGateway
import Testing

struct DashboardTests {
  /// What the page names, from its own text.
  private static func references(_ page: String) -> [String] {
    page.matches(of: #/(?:src|href)="([^"#][^"]*)"/#).map { String($0.output.1) }
  }

  @Test func `the page and all that it names come from this peer`() async throws {
    try await served(FakeNode()) { address in
      let page = try await raw(.GET, "/", to: address)
      #expect(page.status == 200)
      #expect(page.headers["content-type"] == "text/html; charset=utf-8")
      #expect(page.headers["content-security-policy"]?.hasPrefix("default-src 'self'") == true)
      for reference in Self.references(page.body) {
        #expect(!reference.contains("//"), "\(reference)")
        let file = try await raw(.GET, "/" + reference, to: address)
        #expect(file.status == 200, "\(reference)")
      }
    }
  }

  @Test func `every module that a module imports is served`() async throws {
    try await served(FakeNode()) { address in
      var waiting = ["./main.js"]
      var seen: Set<String> = []
      while let next = waiting.popLast() {
        guard seen.insert(next).inserted else { continue }
        let module = try await raw(.GET, String(next.dropFirst()), to: address)
        #expect(module.status == 200, "\(next)")
        #expect(module.headers["content-type"]?.hasPrefix("text/javascript") == true, "\(next)")
        waiting += module.body.matches(of: #/from "([^"]+)"/#).map { String($0.output.1) }
      }
      #expect(seen.count >= 9)
    }
  }

  @Test func `the files need no key, the facts do`() async throws {
    try await served(FakeNode(), key: "secret") { address in
      for (path, status) in [("/", 200), ("/main.js", 200), ("/api/peers", 401)] {
        let answer = try await raw(.GET, path, to: address)
        #expect(answer.status == status, "\(path)")
      }
    }
  }
}
