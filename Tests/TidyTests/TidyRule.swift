// A rule of style that a machine can hold, and where a file breaks it.

/// Where and how a rule is broken.
struct Violation: Hashable, CustomStringConvertible {
  let path: String
  /// Counted from 1.
  let line: Int
  let message: String
  var description: String { "\(path):\(line): \(message)" }
}

/// One rule: what it asks, and what breaks it in one file.
struct TidyRule: Sendable {
  let claim: String
  let violations: @Sendable (SourceFile) -> [Violation]

  init(_ claim: String, _ violations: @escaping @Sendable (SourceFile) -> [Violation]) {
    self.claim = claim
    self.violations = violations
  }
}

extension TidyRule {
  /// A rule about single words of code.
  static func word(
    _ claim: String, _ breaks: @escaping @Sendable (CodeWord, SourceFile) -> String?
  ) -> TidyRule {
    TidyRule(claim) { file in
      guard file.isSwift else { return [] }
      return CodeWord.all(in: file).compactMap { word in
        breaks(word, file).map { Violation(path: file.path, line: word.line, message: $0) }
      }
    }
  }
}

extension TidyRule {
  static let fileLimit = 500
  static let functionLimit = 70
  static let lineLimit = 100

  static let shortFiles = TidyRule("a file has at most \(fileLimit) lines") { file in
    guard file.lines.count > fileLimit else { return [] }
    return [Violation(path: file.path, line: 1, message: "\(file.lines.count) lines")]
  }

  static let shortFunctions = TidyRule("a function has at most \(functionLimit) lines") { file in
    guard file.isSwift else { return [] }
    return FunctionLengths.of(file).filter { $0.lines > functionLimit }.map {
      Violation(path: file.path, line: $0.line, message: "\($0.name) has \($0.lines) lines")
    }
  }

  static let shortLines = TidyRule("a line has at most \(lineLimit) columns") { file in
    file.lines.enumerated().filter { $0.element.count > lineLimit }.map {
      Violation(path: file.path, line: $0.offset + 1, message: "\($0.element.count) columns")
    }
  }

  static let headComments = TidyRule("a file begins with a comment that says what it is for") {
    file in
    let first = file.lines.first ?? ""
    let words = first.drop { $0 == "/" || $0 == "*" || $0 == " " }
    guard !first.hasPrefix("//") && !first.hasPrefix("/*") || words.isEmpty else { return [] }
    return [Violation(path: file.path, line: 1, message: "begins with `\(first)`")]
  }

  static let noPostponement = TidyRule("nothing is marked as still to be done") { file in
    let marks = ["TODO", "FIXME", "XXX"]
    return file.lines.enumerated().compactMap { number, line in
      marks.first { line.contains($0) }.map {
        Violation(path: file.path, line: number + 1, message: $0)
      }
    }
  }

  static let quietLibraries = TidyRule.word("only the executable prints") { word, file in
    let printers: Set<Substring> = ["print", "debugPrint", "dump"]
    guard file.module != "shoal", printers.contains(word.text), word.before != ".",
      word.rest.hasPrefix("(")
    else { return nil }
    return "\(word.text)("
  }

  static let noTraps = TidyRule.word("no error is turned into a trap") { word, _ in
    if word.text == "fatalError" { return "fatalError" }
    return word.text == "try" && word.rest.hasPrefix("!") ? "try!" : nil
  }

  static let structuredTasks = TidyRule.word("every task is structured") { word, _ in
    guard word.text == "Task", word.before != ".",
      ["{", "(", ".detached", "<"].contains(where: { word.rest.hasPrefix($0) })
    else { return nil }
    return "Task \(word.rest.prefix(12))"
  }

  static let seededChance = TidyRule.word("randomness is an argument") { word, _ in
    let calls: Set<Substring> = ["random", "shuffled", "shuffle", "randomElement"]
    guard calls.contains(word.text), word.before == ".", word.rest.hasPrefix("("),
      !word.rest.contains("using:")
    else { return nil }
    return ".\(word.text)( without using:"
  }

  static let oneClock = TidyRule.word("only ShoalSystem reads clocks") { word, file in
    guard file.module != "ShoalSystem" else { return nil }
    let clocks: Set<Substring> = ["ContinuousClock", "SuspendingClock", "clock_gettime"]
    if clocks.contains(word.text) { return String(word.text) }
    let isNow = word.rest.hasPrefix("()") || word.rest.hasPrefix(".now")
    let times: Set<Substring> = ["Date", "DispatchTime", "DispatchWallTime"]
    return times.contains(word.text) && isNow ? "\(word.text)\(word.rest.prefix(4))" : nil
  }

  static let all = [
    importsRunDownward, shortFiles, shortFunctions, shortLines, headComments, noPostponement,
    quietLibraries, noTraps, structuredTasks, seededChance, oneClock,
  ]
}
