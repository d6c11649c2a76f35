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
    case "llama": try self.init(sentencePiece: keys)
    case "gpt2": try self.init(byteLevel: keys)
    case _: throw .unknownModel(model, known: ["gpt2", "llama"])
    }
    addsBeginning = try keys.bool("add_bos_token") ?? addsBeginning
    addsEnd = try keys.bool("add_eos_token") ?? addsEnd
    addsSpacePrefix = try keys.bool("add_space_prefix") ?? addsSpacePrefix
    beginning = try keys.token("bos_token_id") ?? beginning
    end = try keys.token("eos_token_id") ?? end
    // Some writers put an impossible id where a model has no such token.
    if let token = try keys.token("unknown_token_id"), tokens.indices.contains(Int(token)) {
      unknown = token
    }
    try settleEnds(keys)
    try settleSwallowingSpace(keys)
    try validate()
  }

  private init(sentencePiece keys: TokenizerKeys) throws(TokenizerError) {
    let tokens = try keys.tokens()
    self.init(
      kind: .sentencePiece, preTokenizer: nil, tokens: tokens,
      types: try keys.types(count: tokens.count),
      scores: try keys.scores() ?? [Float](repeating: 0, count: tokens.count),
      merges: ByteStrings())
    addsBeginning = true
    addsSpacePrefix = true
    unknown = tokens.count > 0 ? 0 : nil
    beginning = tokens.count > 1 ? 1 : nil
    end = tokens.count > 2 ? 2 : nil
  }

  private init(byteLevel keys: TokenizerKeys) throws(TokenizerError) {
    let name = try keys.read { metadata throws(GGUFError) in
      try metadata.stringIfPresent("tokenizer.ggml.pre")
    }
    guard let family = PreTokenizer.families[name ?? "default"] else {
      throw .unknownPreTokenizer(name ?? "", known: PreTokenizer.families.keys.sorted())
    }
    let tokens = try keys.tokens()
    let merges = try keys.read { metadata throws(GGUFError) in
      try metadata.strings("tokenizer.ggml.merges")
    }
    self.init(
      kind: .byteLevel, preTokenizer: family.preTokenizer, tokens: tokens,
      types: try keys.types(count: tokens.count), scores: [], merges: merges)
    ignoresMerges = family.ignoresMerges
    addsBeginning = family.addsBeginning
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

  func token(_ name: String) throws(TokenizerError) -> TokenID? {
    let number = try read { metadata throws(GGUFError) in
      try metadata.integerIfPresent("tokenizer.ggml." + name)
    }
    return number.map { TokenID(clamping: $0) }
  }

  func tokens() throws(TokenizerError) -> ByteStrings {
    try read { metadata throws(GGUFError) in try metadata.strings("tokenizer.ggml.tokens") }
  }

  /// Floats, or integers that some writers use.
  func scores() throws(TokenizerError) -> [Float]? {
    let key = "tokenizer.ggml.scores"
    if case .array(.int32(let scores)) = metadata[key] { return scores.map(Float.init) }
    return try read { metadata throws(GGUFError) in try metadata.floatsIfPresent(key) }
  }

  /// All normal where the file does not say.
  func types(count: Int) throws(TokenizerError) -> [TokenizerDefinition.TokenType] {
    let numbers = try read { metadata throws(GGUFError) in
      try metadata.integersIfPresent("tokenizer.ggml.token_type")
    }
    guard let numbers else { return Array(repeating: .normal, count: count) }
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
