// docs/STYLE.md as a test: every rule against every file under Sources.

import Testing

@Suite struct TidyTests {
  @Test(arguments: TidyRule.all) func `every source keeps the rule`(_ rule: TidyRule) throws {
    let found = try SourceTree.files().flatMap(rule.violations)
    #expect(found.isEmpty, "\(rule.claim):\n\(found.map(\.description).joined(separator: "\n"))")
  }

  @Test func `the tree that is checked is the whole house`() throws {
    let files = try SourceTree.files()
    let modules = Set(files.map(\.module))
    #expect(
      modules.isSuperset(of: [
        "CKernels", "CPlatform", "ShoalProtocol", "ShoalInference", "ShoalSecurity", "ShoalLedger",
        "ShoalNode", "ShoalSystem", "shoal",
      ]))
    #expect(files.count > 100)
    #expect(files.contains { $0.path == "Sources/shoal/Shoal.swift" })
  }

  @Test func `functions are found in the tree`() throws {
    let lengths = try SourceTree.files().filter(\.isSwift).flatMap(FunctionLengths.of)
    #expect(lengths.count > 300)
    #expect(lengths.contains { $0.name == "canonicalBytes" } == false, "a property is no function")
    #expect(lengths.contains { $0.lines > 25 })
  }
}

extension TidyRule: CustomTestStringConvertible {
  var testDescription: String { claim }
}
