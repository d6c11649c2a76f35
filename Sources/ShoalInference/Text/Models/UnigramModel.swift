// The unigram language model: of all ways to cut a word into tokens, the one whose scores sum to
// most (Kudo 2018, section 3.2; the Viterbi search over places, not over lattice nodes, is that of
// SentencePiece's `EncodeOptimized`).

/// Encodes words, which are whole texts where nothing cuts them.
struct UnigramModel: Sendable {
  private let trie: TokenTrie
  private let scores: [Double]
  private let unknown: TokenID
  private let unknownScore: Double
  private let rules: UnigramRules
  private let byteTokens: [TokenID]

  /// Below the worst score of any token (SentencePiece, `kUnkPenalty`).
  private static let unknownPenalty = 10.0

  init(
    _ definition: TokenizerDefinition, _ rules: UnigramRules, _ vocabulary: ByteStringIndex
  ) throws(TokenizerError) {
    guard let unknown = definition.unknown else { throw .missing(field: "unknown token") }
    self.unknown = unknown
    self.rules = rules
    var trie = TokenTrie()
    var least = Double.infinity
    for (index, token) in definition.tokens.enumerated() {
      switch definition.types[index] {
      case .normal: least = min(least, definition.scores[index])
      case .userDefined, .unused: break
      case .control, .unknown, .byte, .undefined: continue
      }
      if !token.isEmpty { trie.insert(token, TokenID(index)) }
    }
    trie.finish()
    self.trie = trie
    let greatest = definition.scores.max() ?? 0
    scores = definition.scores.enumerated().map { index, score in
      definition.types[index] == .userDefined
        ? greatest * Double(definition.tokens[index].count) - 0.1 : score
    }
    unknownScore = (least.isFinite ? least : 0) - Self.unknownPenalty
    byteTokens = rules.spellsUnknownBytes ? ByteTokens.all(in: vocabulary) : []
  }

  /// The best way to reach a place: by which token, from where, with what sum.
  private struct Way {
    var token: TokenID
    var start: Int
    var score: Double
  }

  func encode(_ text: [UInt8], _ word: Range<Int>, into tokens: inout [TokenID]) {
    let nowhere = Way(token: unknown, start: -1, score: -.infinity)
    var ways = Array(repeating: nowhere, count: word.count + 1)
    ways[0] = Way(token: unknown, start: 0, score: 0)
    var start = word.lowerBound
    while start < word.upperBound {
      let length = min(UTF8Form.length(of: text[start]), word.upperBound - start)
      var hasCharacter = false
      let (from, score) = (start - word.lowerBound, ways[start - word.lowerBound].score)
      trie.forEachPrefix(of: text, start..<word.upperBound) { token, end in
        if end - start == length { hasCharacter = true }
        propose(token, from, end - word.lowerBound, score, scores[Int(token)], &ways)
      }
      if !hasCharacter { propose(unknown, from, from + length, score, unknownScore, &ways) }
      start += length
    }
    append(ways, text, word, to: &tokens)
  }

  @inline(__always)
  private func propose(
    _ token: TokenID, _ start: Int, _ end: Int, _ before: Double, _ score: Double,
    _ ways: inout [Way]
  ) {
    let sum = rules.addsInSinglePrecision ? Double(Float(before + score)) : before + score
    if ways[end].start < 0 || sum > ways[end].score {
      ways[end] = Way(token: token, start: start, score: sum)
    }
  }

  private func append(
    _ ways: [Way], _ text: [UInt8], _ word: Range<Int>, to tokens: inout [TokenID]
  ) {
    var path: [(token: TokenID, range: Range<Int>)] = []
    var end = word.count
    while end > 0 {
      let way = ways[end]
      path.append((way.token, word.lowerBound + way.start..<word.lowerBound + end))
      end = way.start
    }
    var lastIsUnknown = false
    for (token, range) in path.reversed() {
      guard token == unknown else {
        tokens.append(token)
        lastIsUnknown = false
        continue
      }
      if !byteTokens.isEmpty {
        tokens += text[range].map { byteTokens[Int($0)] }
      } else if !lastIsUnknown {
        tokens.append(unknown)
      }
      lastIsUnknown = true
    }
  }
}

/// Tokens by their bytes: finds all that begin a text without looking at each.
struct TokenTrie: Sendable {
  private struct Node {
    var token: TokenID = -1
    var firstChild: Int32 = 0
    var childCount: Int32 = 0
  }

  private var pending: [(bytes: [UInt8], token: TokenID)] = []
  private var nodes: [Node] = [Node()]
  private var labels: [UInt8] = [0]

  mutating func insert(_ bytes: some Collection<UInt8>, _ token: TokenID) {
    pending.append((Array(bytes), token))
  }

  /// Lays the nodes out, the children of each side by side and ordered by byte.
  mutating func finish() {
    pending.sort { $0.bytes.lexicographicallyPrecedes($1.bytes) }
    var level: [(node: Int, range: Range<Int>)] = [(0, 0..<pending.count)]
    var depth = 0
    while !level.isEmpty {
      var next: [(node: Int, range: Range<Int>)] = []
      for (node, range) in level {
        var at = range.lowerBound
        while at < range.upperBound, pending[at].bytes.count == depth {
          nodes[node].token = pending[at].token
          at += 1
        }
        nodes[node].firstChild = Int32(nodes.count)
        while at < range.upperBound {
          let byte = pending[at].bytes[depth]
          let start = at
          while at < range.upperBound, pending[at].bytes[depth] == byte { at += 1 }
          next.append((nodes.count, start..<at))
          nodes.append(Node())
          labels.append(byte)
          nodes[node].childCount += 1
        }
      }
      level = next
      depth += 1
    }
    pending = []
  }

  func forEachPrefix(
    of text: [UInt8], _ range: Range<Int>, _ body: (_ token: TokenID, _ end: Int) -> Void
  ) {
    var node = 0
    for at in range {
      guard let child = child(of: node, text[at]) else { return }
      node = child
      if nodes[node].token >= 0 { body(nodes[node].token, at + 1) }
    }
  }

  private func child(of node: Int, _ byte: UInt8) -> Int? {
    var low = Int(nodes[node].firstChild)
    var high = low + Int(nodes[node].childCount)
    while low < high {
      let middle = (low + high) / 2
      if labels[middle] == byte { return middle }
      if labels[middle] < byte { low = middle + 1 } else { high = middle }
    }
    return nil
  }
}
