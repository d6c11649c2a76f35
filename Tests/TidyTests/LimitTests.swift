// Every bound of `Limits` has a test that names it.

import Foundation
import Testing

@Suite struct LimitTests {
  /// Waits on the clock of a running peer. Tests of whole nodes live through them; none of them
  /// counts the seconds, and one that did would take as long.
  static let waits: Set<String> = [
    "connectSilence", "drain", "dropCalm", "handOverPatience", "handOverPause", "laneRest",
    "moveLook", "ownJobs", "prepareBeat", "prepareSilence", "rankDial", "roomPause",
    "stepSilence", "witnessBeat",
  ]
  /// What is taken up without a test that reaches it.
  static let unreached: Set<String> = ["drivenLanes", "manifestBytes", "runningJobs"]

  private static func names(in text: String) -> [String] {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    var isInside = false
    var names: [String] = []
    for line in lines {
      if line.hasPrefix("extension Limits") || line.contains("enum Limits {") { isInside = true }
      if line == "}" { isInside = false }
      guard isInside, let match = line.firstMatch(of: /^  .*static let ([A-Za-z]+)/) else {
        continue
      }
      names.append(String(match.output.1))
    }
    return names
  }

  private static func limits() throws -> [String] {
    try SourceTree.files().filter(\.isSwift).flatMap { file in
      names(in: file.lines.joined(separator: "\n"))
    }
  }

  /// Words behind `Limits.` in the code of tests.
  private static func tested() throws -> Set<String> {
    let folder = SourceTree.root.appending(path: "Tests").path
    let paths = try FileManager.default.subpathsOfDirectory(atPath: folder)
    var names: Set<String> = []
    for path in paths where path.hasSuffix(".swift") && !path.hasPrefix("TidyTests") {
      let text = try String(contentsOfFile: "\(folder)/\(path)", encoding: .utf8)
      let code = SourceScanner.blanked(text)
      for match in code.matches(of: /Limits\.([A-Za-z]+)/) { names.insert(String(match.output.1)) }
    }
    return names
  }

  @Test func `every limit is reached by a test that names it, or stands among those that are not`()
    throws
  {
    let limits = try Self.limits()
    #expect(limits.count > 100)
    #expect(Set(limits).count == limits.count)
    let tested = try Self.tested()
    let excused = Self.waits.union(Self.unreached)
    for limit in limits where !tested.contains(limit) {
      #expect(excused.contains(limit), "no test names Limits.\(limit)")
    }
    // Nobody is excused who has a test by now, or is gone.
    for name in excused.sorted() {
      #expect(limits.contains(name), "no such limit: \(name)")
      #expect(!tested.contains(name), "\(name) has a test")
    }
  }

  @Test func `limits are found where they are declared, and nothing else`() {
    let text = """
      extension Limits {
        /// Of one.
        public static let one = 1
        package static let two = Duration.seconds(2)
        static func three() {}
      }
      enum Other {
        static let four = 4
      }
      """
    #expect(Self.names(in: text) == ["one", "two"])
  }
}
