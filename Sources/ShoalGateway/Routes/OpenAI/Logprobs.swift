// Probabilities of tokens as OpenAI's two routes write them.

import Foundation
import ShoalNode

/// Of a chat.
struct ChatLogprobs: Encodable, Sendable {
  struct Entry: Encodable, Sendable {
    let token: String
    let logprob: Double
    let bytes: [UInt8]

    init(_ alternative: TokenProbability.Alternative) {
      token = alternative.text
      logprob = alternative.logprob
      bytes = alternative.bytes
    }
  }

  struct Position: Encodable, Sendable {
    let token: String
    let logprob: Double
    let bytes: [UInt8]
    let top_logprobs: [Entry]
  }

  let content: [Position]

  init(_ probabilities: [TokenProbability]) {
    content = probabilities.map { probability in
      let chosen = Entry(probability.chosen)
      return Position(
        token: chosen.token, logprob: chosen.logprob, bytes: chosen.bytes,
        top_logprobs: probability.top.map { Entry($0) })
    }
  }
}

/// Of a text completion.
struct CompletionLogprobs: Encodable, Sendable {
  let tokens: [String]
  let token_logprobs: [Double]
  /// Where two alternatives have the same text, the more probable one counts.
  let top_logprobs: [[String: Double]]
  /// In characters of the text, of which `start` came before.
  let text_offset: [Int]

  init(_ probabilities: [TokenProbability], start: Int = 0) {
    tokens = probabilities.map(\.chosen.text)
    token_logprobs = probabilities.map(\.chosen.logprob)
    top_logprobs = probabilities.map { probability in
      Dictionary(probability.top.map { ($0.text, $0.logprob) }) { first, _ in first }
    }
    var offsets: [Int] = []
    var offset = start
    for token in tokens {
      offsets.append(offset)
      offset += token.count
    }
    text_offset = offsets
  }
}

extension TokenProbability.Alternative {
  /// U+FFFD for bytes that are no whole character.
  var text: String { String(decoding: bytes, as: UTF8.self) }
}
