// What a GGUF file says about its tokenizer, with the defaults and detections that llama.cpp
// applies (`llama-vocab.cpp`) made explicit once, at import.

extension TokenizerDefinition {
  /// Reads the keys `tokenizer.ggml.*` and validates the result.
  ///
  /// Throws `.unknownModel` or `.unknownPreTokenizer` with the name and what is known.
  public init(gguf metadata: GGUFMetadata) throws(TokenizerError) {
    let keys = TokenizerKeys(metadata: metadata)
    let model = try keys.read { metadata throws(GGUFError) in
      try metadata.string("tokenizer.ggml.model")
    }
    switch model {
    case "llama": try self.init(scoredPairs: keys)
    case "gpt2", "gemma4": try self.init(pairs: keys, family: model == "gemma4" ? model : nil)
    case "bert": try self.init(wordPiece: keys)
    case "t5": try self.init(unigram: keys)
    case _:
      throw .unknownModel(
        "\(model) (tokenizer.ggml.model)", known: ["bert", "gemma4", "gpt2", "llama", "t5"])
    }
    try settleEnds(keys)
    settleAdded(swallowing: try swallowingSpace(keys))
    try validate()
  }

  private init(
    _ model: TokenizerModel, _ keys: TokenizerKeys
  ) throws(TokenizerError) {
    let tokens = try keys.tokens()
    self.init(model: model, tokens: tokens, types: try keys.types(count: tokens.count))
  }

  private init(scoredPairs keys: TokenizerKeys) throws(TokenizerError) {
    try self.init(.scoredPairs(ScoredPairRules()), keys)
    scores = try keys.scores() ?? [Double](repeating: 0, count: tokens.count)
    normalizers = [.replace(.literal(" "), with: "▁")]
    decoding = [.replace(.literal("▁"), with: " "), .byteFallback, .fuse]
    if try keys.bool("add_space_prefix") ?? true {
      normalizers.insert(.prepend(" ", .always), at: 0)
      decoding.append(.strip(" ", start: 1, end: 0))
    }
    try settleSpecial(
      keys, SpecialDefaults(beginning: 1, end: 2, unknown: 0, addsBeginning: true))
  }

  private init(pairs keys: TokenizerKeys, family: String?) throws(TokenizerError) {
    var name = family
    if name == nil {
      name = try keys.read { metadata throws(GGUFError) in
        try metadata.stringIfPresent("tokenizer.ggml.pre")
      }
    }
    guard let family = TextFamily.named[name ?? "default"] else {
      throw .unknownPreTokenizer(name ?? "", known: TextFamily.named.keys.sorted())
    }
    var rules = PairRules()
    rules.ignoresMerges = family.ignoresMerges
    rules.spellsUnknownBytes = family.isSentencePiece
    try self.init(.pairs(rules), keys)
    let merges = try keys.read { metadata throws(GGUFError) in
      try metadata.strings("tokenizer.ggml.merges")
    }
    for merge in merges { addMerge(spaced: merge) }
    cuts = family.expressions.map { .split(.expression($0), .isolated, isInverted: false) }
    if family.isSentencePiece {
      normalizers = [.replace(.literal(" "), with: "▁")]
      decoding = [.replace(.literal("▁"), with: " "), .byteFallback]
    } else {
      cuts.append(.byteLevel(addsSpace: false, cuts: false))
      decoding = [.byteLevel]
    }
    try settleSpecial(keys, SpecialDefaults(addsBeginning: family.addsBeginning))
  }

  private init(wordPiece keys: TokenizerKeys) throws(TokenizerError) {
    var rules = WordPieceRules()
    rules.wordPrefix = "▁"
    rules.continuingPrefix = ""
    rules.longestWord = WordPieceRules.unlimited
    try self.init(.wordPiece(rules), keys)
    let lowercase = try keys.bool("normalizer.lowercase") ?? true
    let accents = try keys.bool("normalizer.strip_accents") ?? lowercase
    normalizers = [.bert(clean: true, chinese: true, accents: accents, lowercase: lowercase)]
    cuts = [.bert]
    decoding = [.wordStart(prefix: "▁")]
    try settleSpecial(keys, SpecialDefaults(unknown: 100))
    beginning = try keys.token("cls_token_id", in: tokens) ?? beginning ?? 101
    // The key's name is misspelled in the format.
    let separator = try keys.token("seperator_token_id", in: tokens) ?? end ?? 102
    (before, after) = ([beginning ?? 101], [separator])
  }

  private init(unigram keys: TokenizerKeys) throws(TokenizerError) {
    try self.init(.unigram(UnigramRules()), keys)
    scores = try keys.scores() ?? [Double](repeating: 0, count: tokens.count)
    if let map = try keys.bytes("precompiled_charsmap") {
      normalizers.append(.charsmap(map, byGrapheme: false))
    }
    let merges = try keys.bool("remove_extra_whitespaces") ?? true
    if merges { normalizers.append(.collapseSpaces) }
    let prefixes = try keys.bool("add_space_prefix") ?? true
    if merges || prefixes {
      normalizers.append(.prepend(" ", .always))
    }
    normalizers.append(.replace(.literal(" "), with: "▁"))
    decoding = [.replace(.literal("▁"), with: " "), .fuse, .strip(" ", start: 1, end: 0)]
    try settleSpecial(keys, SpecialDefaults(end: 1, unknown: 2, addsEnd: true))
  }
}

/// What a kind of vocabulary has where its file does not say.
private struct SpecialDefaults {
  var beginning: TokenID?
  var end: TokenID?
  var unknown: TokenID?
  var addsBeginning = false
  var addsEnd = false
}

extension TokenizerDefinition {
  private mutating func settleSpecial(
    _ keys: TokenizerKeys, _ defaults: SpecialDefaults
  ) throws(TokenizerError) {
    let count = tokens.count
    let known = { (token: TokenID?) in token.flatMap { Int($0) < count ? $0 : nil } }
    beginning = try keys.token("bos_token_id", in: tokens) ?? known(defaults.beginning)
    end = try keys.token("eos_token_id", in: tokens) ?? known(defaults.end)
    unknown = try keys.token("unknown_token_id", in: tokens) ?? known(defaults.unknown)
    if try keys.bool("add_bos_token") ?? defaults.addsBeginning {
      guard let beginning else { throw .missing(field: "beginning") }
      before = [beginning]
    }
    if try keys.bool("add_eos_token") ?? defaults.addsEnd {
      guard let end else { throw .missing(field: "end") }
      after = [end]
    }
  }

  /// Adds "left right"; the left part may begin with a space. One without a second part merges
  /// nothing.
  mutating func addMerge(spaced merge: ArraySlice<UInt8>) {
    guard let space = merge.dropFirst().firstIndex(of: UInt8(ascii: " ")) else { return }
    merges.append(merge[..<space])
    merges.append(merge[(space + 1)...])
  }

  /// Tokens that stand for themselves in a text.
  private mutating func settleAdded(swallowing: Set<TokenID>) {
    added = types.indices.compactMap { index in
      switch types[index] {
      case .control, .userDefined, .unknown:
        var token = AddedToken(TokenID(index))
        token.takesSpaceAfter = swallowing.contains(token.token)
        return token
      case .normal, .unused, .byte, .undefined: return nil
      }
    }
  }
}

/// The tokenizer's keys in a GGUF file.
struct TokenizerKeys {
  let metadata: GGUFMetadata

  func read<Value>(
    _ body: (GGUFMetadata) throws(GGUFError) -> Value
  ) throws(TokenizerError) -> Value {
    do { return try body(metadata) } catch { throw .metadata(error) }
  }

  func bool(_ name: String) throws(TokenizerError) -> Bool? {
    try read { metadata throws(GGUFError) in
      try metadata.boolIfPresent("tokenizer.ggml." + name)
    }
  }

  /// A token of the vocabulary. Some writers put an impossible id where a model has no such token.
  func token(_ name: String, in tokens: ByteStrings) throws(TokenizerError) -> TokenID? {
    let number = try read { metadata throws(GGUFError) in
      try metadata.integerIfPresent("tokenizer.ggml." + name)
    }
    guard let number, tokens.indices.contains(number) else { return nil }
    return TokenID(number)
  }

  func tokens() throws(TokenizerError) -> ByteStrings {
    try read { metadata throws(GGUFError) in try metadata.strings("tokenizer.ggml.tokens") }
  }

  /// Floats, or integers that some writers use.
  func scores() throws(TokenizerError) -> [Double]? {
    let key = "tokenizer.ggml.scores"
    if case .array(.int32(let scores)) = metadata[key] { return scores.map(Double.init) }
    let floats = try read { metadata throws(GGUFError) in try metadata.floatsIfPresent(key) }
    return floats.map { $0.map { Double($0) } }
  }

  /// An array of bytes, signed or not.
  func bytes(_ name: String) throws(TokenizerError) -> [UInt8]? {
    let numbers = try read { metadata throws(GGUFError) in
      try metadata.integersIfPresent("tokenizer.ggml." + name)
    }
    return numbers.map { $0.map { UInt8(truncatingIfNeeded: $0) } }
  }

  /// All normal where the file does not say.
  func types(count: Int) throws(TokenizerError) -> [TokenizerDefinition.TokenType] {
    let numbers = try read { metadata throws(GGUFError) in
      try metadata.integersIfPresent("tokenizer.ggml.token_type")
    }
    guard let numbers else { return Array(repeating: .normal, count: count) }
    guard numbers.count == count else {
      throw .count(field: "token types", expected: count, found: numbers.count)
    }
    var types: [TokenizerDefinition.TokenType] = []
    for (index, number) in numbers.enumerated() {
      guard let byte = UInt8(exactly: number),
        let type = TokenizerDefinition.TokenType(rawValue: byte)
      else { throw .unknownTokenType(token: TokenID(clamping: index), type: number) }
      types.append(type)
    }
    return types
  }
}
