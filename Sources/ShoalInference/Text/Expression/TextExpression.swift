// Finds where an expression matches in a text, by backtracking within a budget of steps.

/// A compiled regular expression.
struct TextExpression: Sendable {
  private let program: ExpressionProgram

  init(_ pattern: String) throws(ExpressionError) {
    program = try ExpressionProgram(ExpressionParser.parse(pattern))
  }

  /// Every match from left to right, none overlapping, in scalars. `range` is the whole text as
  /// far as the expression sees.
  ///
  /// An expression may take exponential time. Past 256 steps for each scalar and a million more,
  /// the rest of the text has no matches: the same on every peer, since steps are counted.
  func matches(in text: ScalarText, _ range: Range<Int>) -> [Range<Int>] {
    var matcher = ExpressionMatcher(
      program: program, text: text, range: range, steps: 1_000_000 + 256 * range.count)
    var matches: [Range<Int>] = []
    var at = range.lowerBound
    while at <= range.upperBound, matcher.steps > 0 {
      guard let end = matcher.match(from: 0, at) else {
        at += 1
        continue
      }
      if end > at { matches.append(at..<end) } else { matches.append(at..<at) }
      at = max(end, at + 1)
    }
    return matches
  }
}

private struct ExpressionMatcher {
  /// Where to go on when a way ended: at `at`, or one character back down to `least`.
  private struct Choice {
    let instruction: Int
    let least: Int
    var at: Int
  }

  let program: ExpressionProgram
  let text: ScalarText
  let range: Range<Int>
  var steps: Int
  private var choices: [Choice] = []

  init(program: ExpressionProgram, text: ScalarText, range: Range<Int>, steps: Int) {
    self.program = program
    self.text = text
    self.range = range
    self.steps = steps
  }

  /// Where a match of the instructions from `start` on ends; nil if there is none.
  mutating func match(from start: Int, _ position: Int) -> Int? {
    let base = choices.count
    var (instruction, at) = (start, position)
    while true {
      steps -= 1
      guard steps > 0 else {
        choices.removeSubrange(base...)
        return nil
      }
      switch step(instruction, at) {
      case .next(let next, let place): (instruction, at) = (next, place)
      case .accepted:
        choices.removeSubrange(base...)
        return at
      case .failed:
        guard choices.count > base else { return nil }
        let last = choices.count - 1
        (instruction, at) = (choices[last].instruction, choices[last].at)
        if choices[last].at > choices[last].least {
          choices[last].at -= 1
        } else {
          choices.removeLast()
        }
      }
    }
  }

  private enum Outcome {
    case next(Int, Int)
    case accepted
    case failed
  }

  private mutating func step(_ instruction: Int, _ at: Int) -> Outcome {
    switch program.instructions[instruction] {
    case .set(let set):
      guard at < range.upperBound, program.sets[set].contains(text.scalars[at], text.kinds[at])
      else { return .failed }
      return .next(instruction + 1, at + 1)
    case .run(let set, let least, let most):
      let end = run(set, at, most)
      guard end - at >= least else { return .failed }
      if end > at + least {
        choices.append(Choice(instruction: instruction + 1, least: at + least, at: end - 1))
      }
      return .next(instruction + 1, end)
    case .possessiveRun(let set, let least, let most):
      let end = run(set, at, most)
      return end - at >= least ? .next(instruction + 1, end) : .failed
    case .split(let first, let second):
      choices.append(Choice(instruction: second, least: at, at: at))
      return .next(first, at)
    case .jump(let target): return .next(target, at)
    case .anchor(let anchor): return holds(anchor, at) ? .next(instruction + 1, at) : .failed
    case .look(let back, let wanted, let end):
      let matched = at - back >= range.lowerBound && match(from: instruction + 1, at - back) != nil
      return matched == wanted ? .next(end, at) : .failed
    case .atomic(let end):
      guard let place = match(from: instruction + 1, at) else { return .failed }
      return .next(end, place)
    case .accept: return .accepted
    }
  }

  private mutating func run(_ set: Int, _ at: Int, _ most: Int) -> Int {
    let limit = most < range.upperBound - at ? at + most : range.upperBound
    let set = program.sets[set]
    var end = at
    while end < limit, set.contains(text.scalars[end], text.kinds[end]) { end += 1 }
    // A look at eight characters counts as a step.
    steps -= (end - at) >> 3
    return end
  }

  private func holds(_ anchor: ExpressionAnchor, _ at: Int) -> Bool {
    switch anchor {
    case .textStart: at == range.lowerBound
    case .textEnd: at == range.upperBound
    case .textEndOrLastLine:
      at == range.upperBound || at + 1 == range.upperBound && text.scalars[at] == 0x0a
    case .lineStart: at == range.lowerBound || text.scalars[at - 1] == 0x0a
    case .lineEnd: at == range.upperBound || text.scalars[at] == 0x0a
    case .wordBoundary: isWord(at - 1) != isWord(at)
    case .noWordBoundary: isWord(at - 1) == isWord(at)
    }
  }

  private func isWord(_ at: Int) -> Bool {
    range.contains(at) && ScalarSet.word.contains(text.scalars[at], text.kinds[at])
  }
}
