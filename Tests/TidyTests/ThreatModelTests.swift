// docs/THREAT_MODEL.md names tests: each of them is there.

import Foundation
import Testing

@Suite struct ThreatModelTests {
  /// Rows of claims: those of tables whose last column is "held by".
  private static func claims() throws -> [(threat: String, holders: String)] {
    let url = SourceTree.root.appending(path: "docs/THREAT_MODEL.md")
    let lines = try String(contentsOf: url, encoding: .utf8).split(separator: "\n")
    var isTable = false
    var claims: [(threat: String, holders: String)] = []
    for line in lines {
      let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
      guard line.hasPrefix("|"), let first = cells.first, let last = cells.last else {
        isTable = false
        continue
      }
      if last == "held by" {
        isTable = true
      } else if isTable, !first.hasPrefix("--") {
        claims.append((first, last))
      }
    }
    return claims
  }

  /// Names of test functions, and of tests that have a name beside.
  private static func tests() throws -> Set<String> {
    let folder = SourceTree.root.appending(path: "Tests").path
    let paths = try FileManager.default.subpathsOfDirectory(atPath: folder)
    var names: Set<String> = []
    for path in paths where path.hasSuffix("Tests.swift") {
      let text = try String(contentsOfFile: "\(folder)/\(path)", encoding: .utf8)
      for match in text.matches(of: /func `([^`]+)`|func ([A-Za-z]+)\(|@Test\("([^"]+)"/) {
        let name = match.output.1 ?? match.output.2 ?? match.output.3
        if let name { names.insert(String(name)) }
      }
    }
    return names
  }

  @Test func `every claim of the threat model names tests that are there, or says nothing`()
    throws
  {
    let tests = try Self.tests()
    let claims = try Self.claims()
    #expect(claims.count > 30)
    for claim in claims {
      let holders = claim.holders.matches(of: /`([^`]+)`/).map { String($0.output.1) }
      #expect(holders.isEmpty == (claim.holders == "nothing"), "\(claim.threat): \(claim.holders)")
      for holder in holders where holder.hasPrefix("testnet/") {
        let path = SourceTree.root.appending(path: holder).path
        #expect(FileManager.default.isExecutableFile(atPath: path), "\(holder)")
      }
      for holder in holders where !holder.hasPrefix("testnet/") {
        #expect(tests.contains(holder), "no test named: \(holder)")
      }
    }
  }
}
