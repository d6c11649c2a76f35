// Where a text ends by a stop string, and what is held back until that is known.

import ShoalInference
import ShoalNode
import ShoalProtocol
import Testing

/// Pieces of a text as they come, and what is shown after each; `|` marks the end of the text.
struct StopCase: Sendable, CustomTestStringConvertible {
  let stops: [String]
  let pieces: [String]
  let shown: [String]
  var testDescription: String { "\(pieces) stopped by \(stops)" }

  init(_ stops: [String], _ pieces: [String], shows shown: [String]) {
    self.stops = stops
    self.pieces = pieces
    self.shown = shown
  }
}

@Suite struct StopStringsTests {
  @Test(arguments: [
    StopCase([], ["a", "b"], shows: ["a", "b"]),
    StopCase([""], ["a"], shows: ["a"]),
    StopCase(["END"], ["one END two"], shows: ["one |"]),
    StopCase(["END"], ["one E", "N", "D two"], shows: ["one ", "", "|"]),
    StopCase(["END"], ["one E", "N", "o"], shows: ["one ", "", "ENo"]),
    StopCase(["END"], ["EN", "EN", "D"], shows: ["", "EN", "|"]),
    StopCase(["b", "ab"], ["xab"], shows: ["x|"]),
    StopCase(["cd", "bcX"], ["abc", "d"], shows: ["a", "b|"]),
    StopCase(["aab"], ["aaa", "b"], shows: ["a", "|"]),
    StopCase(["\n\n"], ["x\n", "y\n", "\nz"], shows: ["x", "\ny", "|"]),
    StopCase(["é"], ["caf", "é!"], shows: ["caf", "|"]),
  ])
  func `text is shown up to the first stop string`(_ example: StopCase) {
    var stops = StopStrings(example.stops)
    for (piece, expected) in zip(example.pieces, example.shown) {
      let (text, isEnd) = stops.append(piece)
      #expect(text + (isEnd ? "|" : "") == expected)
    }
  }

  @Test func `what was held back is shown when the text ends by itself`() {
    var stops = StopStrings(["END"])
    #expect(stops.append("the E").text == "the ")
    #expect(stops.finish() == "E")
    #expect(stops.finish().isEmpty)
  }
}

@Suite struct StopStringsGenerationTests {
  @Test func `a generation ends at a stop string and does not show it`() async throws {
    let engine = try Engine(TinyLlama.smallest.file().bytes)
    let free = try await engine.generate([1, 5, 9], count: 8)
    #expect(free.finish == .length)
    #expect(free.tokens.count == 8)
    // The word of the fourth token, if no earlier one is the same.
    let word = "w\(free.tokens[3])"
    let first = try #require(free.tokens.firstIndex(of: free.tokens[3]))
    let stopped = try await engine.generate([1, 5, 9], count: 8, stop: [word])
    #expect(stopped.finish == .stop)
    #expect(stopped.tokens == Array(free.tokens[...first]))
    let parts = free.text.split(separator: word, omittingEmptySubsequences: false)
    let shown = try #require(parts.first)
    #expect(stopped.text == shown)
  }

  @Test func `an end-of-generation token ends a text without being part of it`() throws {
    let engine = try Engine(TinyLlama.smallest.file().bytes)
    let chooser = try TokenChooser(
      options: GenerationOptions(maximumTokens: 4, sampling: .greedy),
      tokenizer: engine.tokenizer, prompt: [1, 5]
    ) { _ in }
    let vote = { (token: UInt32) in
      VocabularyVote(
        block: 0, row: 0, maximum: 1, exponentials: 1, hash: .zero,
        candidates: [TokenCandidate(token: token, logit: 1)], slice: [])
    }
    #expect(try !chooser.choose([vote(7)], .zero).endsText)
    #expect(try chooser.choose([vote(2)], .zero).endsText)
    #expect(chooser.tokens == [7])
    #expect(chooser.text == " w7")
  }

  @Test func `the best of all votes is taken, the lowest token among equals`() throws {
    let engine = try Engine(TinyLlama.smallest.file().bytes)
    let chooser = try TokenChooser(
      options: GenerationOptions(maximumTokens: 4, sampling: .greedy),
      tokenizer: engine.tokenizer, prompt: [1, 5]
    ) { _ in }
    let votes = [(0, 9, 1), (1, 40, 3), (2, 50, 3)].map { block, token, logit in
      VocabularyVote(
        block: block, row: 0, maximum: Float(logit), exponentials: 1, hash: .zero,
        candidates: [TokenCandidate(token: UInt32(token), logit: Float(logit))], slice: [])
    }
    #expect(try chooser.choose(votes, .zero).token == 40)
  }
}
