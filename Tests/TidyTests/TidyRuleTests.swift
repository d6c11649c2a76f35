// Each rule can fail: small samples that break it, and look-alikes that do not.

import Testing

/// A sample file and the lines at which a rule is to find something.
struct TidySample: Sendable, CustomTestStringConvertible {
  let testDescription: String
  let rule: TidyRule
  let path: String
  let text: String
  let lines: [Int]

  init(
    _ description: String, _ rule: TidyRule, path: String = "Sources/ShoalNode/Sample.swift",
    _ text: String, breaks lines: [Int]
  ) {
    testDescription = description
    self.rule = rule
    self.path = path
    self.text = text
    self.lines = lines
  }
}

@Suite struct TidyRuleTests {
  @Test(arguments: imports + sizes + words) func `a sample breaks a rule where it should`(
    _ sample: TidySample
  ) {
    let file = SourceFile(path: sample.path, text: sample.text)
    #expect(sample.rule.violations(file).map(\.line) == sample.lines)
  }

  static let imports = [
    TidySample(
      "the core imports a room above it", .importsRunDownward,
      path: "Sources/ShoalProtocol/A.swift",
      "// a\nimport ShoalNode\ninternal import ShoalInference\nimport Synchronization",
      breaks: [2, 3]),
    TidySample(
      "rooms beside each other", .importsRunDownward, path: "Sources/ShoalSecurity/A.swift",
      "// a\npublic import ShoalProtocol\nimport CSodium\npackage import ShoalInference",
      breaks: [4]),
    TidySample(
      "a pure room opens the system", .importsRunDownward,
      "// a\n@preconcurrency import Foundation\nimport struct Glibc.timespec", breaks: [2, 3]),
    TidySample(
      "the executable imports all", .importsRunDownward, path: "Sources/shoal/A.swift",
      "// a\nimport Foundation\nimport ShoalSystem\nimport ShoalProtocol", breaks: []),
    TidySample(
      "a comment imports nothing", .importsRunDownward, path: "Sources/ShoalProtocol/A.swift",
      "// import ShoalNode\n/* \nimport ShoalNode */", breaks: []),
    TidySample(
      "a module that nobody drew", .importsRunDownward, path: "Sources/ShoalExtras/A.swift",
      "// a", breaks: [1]),
  ]

  static let sizes = [
    TidySample(
      "500 lines", .shortFiles, String(repeating: "a\n", count: 500), breaks: []),
    TidySample(
      "501 lines", .shortFiles, String(repeating: "a\n", count: 501), breaks: [1]),
    TidySample(
      "101 columns, in C too", .shortLines, path: "Sources/CKernels/a.c",
      "// a\n" + String(repeating: "x", count: 100) + "\n" + String(repeating: "é", count: 101),
      breaks: [3]),
    TidySample(
      "70 lines of function", .shortFunctions,
      "// a\nfunc f() {\n" + String(repeating: "a\n", count: 68) + "}\n", breaks: []),
    TidySample(
      "71 lines of function among braces in strings and comments", .shortFunctions,
      "// a\nfunc f(\n  _ a: () -> Void = { }\n) {\n  let b = \"}\\(c { \"}\" })\" // }\n"
        + String(repeating: "a\n", count: 66) + "}\n", breaks: [2]),
    TidySample(
      "a requirement has no body", .shortFunctions,
      "// a\nprotocol P {\n  func f() -> Int\n  init?(a: Int)\n}\nstruct S {\n"
        + String(repeating: "  let a = 1\n", count: 80) + "}\n", breaks: []),
    TidySample(
      "a long initialiser in a type", .shortFunctions,
      "// a\nstruct S {\n  init() {\n" + String(repeating: "a\n", count: 80) + "  }\n}\n",
      breaks: [3]),
    TidySample("no comment at the head", .headComments, "import A\n// a", breaks: [1]),
    TidySample("an empty comment at the head", .headComments, "//\nimport A", breaks: [1]),
    TidySample("a comment at the head", .headComments, "// What it is for.", breaks: []),
  ]

  static let words = [
    TidySample("work left", .noPostponement, "// a\n// TODO: b\n// FIXME", breaks: [2, 3]),
    TidySample(
      "a library prints", .quietLibraries,
      "// print(1)\nprint(1)\nJSON.print(1)\n\"print(1)\"\nlet a = \"\\(print(2))\"\ndump (a)",
      breaks: [2, 5, 6]),
    TidySample(
      "the executable prints", .quietLibraries, path: "Sources/shoal/A.swift", "// a\nprint(1)",
      breaks: []),
    TidySample(
      "traps", .noTraps, "// try! a\nlet a = try! b()\nfatalError()\ntry? c()\n#\"try!\"#",
      breaks: [2, 3]),
    TidySample(
      "tasks", .structuredTasks,
      """
      // Task { }
      Task { await a() }
      Task(priority: .high) { }
      Task.detached { }
      try await Task.sleep(for: a)
      group.addTask { }
      try Task.checkCancellation()
      let task: Task<Void, Never>
      """, breaks: [2, 3, 4, 8]),
    TidySample(
      "chance", .seededChance,
      """
      // .random(in: 0..<1)
      Int.random(in: 0..<a)
      Int.random(in: 0..<a, using: &generator)
      list.shuffled()
      list.randomElement( )
      random(in: 1)
      """, breaks: [2, 4, 5]),
    TidySample(
      "clocks", .oneClock,
      "// a\nDate()\nContinuousClock().now\nlet d: Date\nDispatchTime.now()\nDate.now",
      breaks: [2, 3, 5, 6]),
    TidySample(
      "the room that has the clock", .oneClock, path: "Sources/ShoalSystem/A.swift",
      "// a\nDate()", breaks: []),
  ]
}
