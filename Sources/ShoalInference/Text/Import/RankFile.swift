// Reads a file of ranks as tiktoken has them: a token in Base64 and its number in each line. The
// expression and the special tokens are not in the file.

import ShoalProtocol

extension TokenizerDefinition {
  /// - Parameters:
  ///   - ranks: the lines.
  ///   - expression: what cuts a text into words, in Oniguruma's syntax.
  ///   - special: control tokens, whose numbers are not those of the file.
  public init(
    ranks bytes: [UInt8], expression: String, special: [(text: String, token: TokenID)] = []
  ) throws(TokenizerError) {
    var spellings: [[UInt8]?] = []
    for (number, line) in bytes.split(separator: 0x0a).enumerated() {
      let fields = line.split(whereSeparator: { $0 == 0x20 || $0 == 0x0d })
      guard fields.count == 2, let token = Base64.decode(fields[0]),
        let rank = Int(String(decoding: fields[1], as: UTF8.self)),
        (0..<Limits.tokens).contains(rank)
      else { throw .line(file: "ranks", line: number + 1) }
      while spellings.count <= rank { spellings.append(nil) }
      spellings[rank] = token.flatMap { ByteLevelAlphabet.spellings[Int($0)] }
    }
    var tokens = ByteStrings()
    for spelling in spellings { tokens.append(spelling ?? []) }
    var rules = ScoredPairRules()
    rules.takesWholeWords = true
    self.init(
      model: .scoredPairs(rules), tokens: tokens,
      types: tokens.map { $0.isEmpty ? .undefined : .normal })
    // Whatever has the lowest rank merges first.
    scores = tokens.indices.map { -Double($0) }
    cuts = [
      .split(.expression(expression), .isolated, isInverted: false),
      .byteLevel(addsSpace: false, cuts: false),
    ]
    decoding = [.byteLevel]
    try place(special)
    add(special.map { (AddedToken($0.token), .control) })
    settleEnds([], among: Set(added.map(\.token)))
    try validate()
  }
}
