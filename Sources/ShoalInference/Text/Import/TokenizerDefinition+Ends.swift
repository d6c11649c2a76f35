// Which tokens end a generation. Files seldom say, so llama.cpp knows them by their text; this is
// that list, as data, applied once at import.

extension TokenizerDefinition {
  /// What ends a turn, a message or a text in the families that write such tokens.
  private static let endTexts = [
    "<|eot_id|>", "<|im_end|>", "<|end|>", "<|return|>", "<|call|>", "<|flush|>", "<|calls|>",
    "<end_of_turn>", "<|endoftext|>", "</s>", "<|eom_id|>", "<EOT>", "_<EOT>", "[EOT]", "[EOS]",
    "<|end_of_text|>", "<end_of_utterance>", "<eos>", "<turn|>", "<|tool_response>",
    "<｜end▁of▁sentence｜>", "[e~[",
  ]
  /// What ends a piece of code that is filled in: padding, the next repository, the next file.
  private static let infillTexts = [
    "<|fim_pad|>", "<fim-pad>", "<fim_pad>", "<PAD>", "[PAD]", "<|fim_repo|>", "<|repo_name|>",
    "<fim-repo>", "<REPO>", "<reponame>", "<|file_sep|>",
  ]
  private static let idKeys = [
    "eos_token_id", "eot_token_id", "eom_token_id", "fim_pad_token_id", "fim_rep_token_id",
    "fim_sep_token_id",
  ]

  /// Sets `endOfGeneration`. A token that looks like an end is a control token, whatever the file
  /// says of its type.
  mutating func settleEnds(_ keys: TokenizerKeys) throws(TokenizerError) {
    var ends: Set<TokenID> = []
    for key in Self.idKeys {
      if let token = try keys.token(key, in: tokens) { ends.insert(token) }
    }
    settleEnds(ends)
  }

  /// Adds to the ends that a file names those which are known by their text; only among `added`
  /// tokens, where that is given.
  mutating func settleEnds(_ stated: Set<TokenID>, among added: Set<TokenID>? = nil) {
    var ends = stated
    if let end { ends.insert(end) }
    let named = ids(of: Self.endTexts + Self.infillTexts).filter {
      added?.contains($0.value) ?? true
    }
    for token in named.values {
      ends.insert(token)
      types[Int(token)] = .control
    }
    // Where answers end with these, "<|end|>" only ends a part of one; and so does "</s>" below.
    let calls = named["<|call|>"] ?? named["<|calls|>"]
    if let part = named["<|end|>"], calls != nil,
      named["<|return|>"] != nil || named["<|flush|>"] != nil
    {
      ends.remove(part)
      types[Int(part)] = .userDefined
    }
    if let part = named["</s>"], named["<|tool_response>"] != nil {
      ends.remove(part)
      types[Int(part)] = .normal
    }
    for token in ids(of: ["<|channel|>", "<|message|>", "<|start|>", "<|constrain|>"]).values
    where added?.contains(token) ?? true {
      types[Int(token)] = .userDefined
    }
    endOfGeneration = ends.sorted()
  }

  /// Phi-3's special tokens swallow the white space after them; its files do not say so.
  func swallowingSpace(_ keys: TokenizerKeys) throws(TokenizerError) -> Set<TokenID> {
    let name = try keys.read { metadata throws(GGUFError) in
      try metadata.stringIfPresent("general.name")?.lowercased() ?? ""
    }
    guard name.contains("phi-3") || name.contains("phi3") else { return [] }
    let spared = Set(ids(of: ["<unk>", "<s>", "<|endoftext|>"]).values)
    let swallowing = types.indices.map { TokenID($0) }.filter { token in
      guard !spared.contains(token) else { return false }
      switch types[Int(token)] {
      case .control, .userDefined, .unknown: return true
      case .normal, .unused, .byte, .undefined: return false
      }
    }
    return Set(swallowing)
  }

  private func ids(of texts: [String]) -> [String: TokenID] {
    let wanted = Dictionary(uniqueKeysWithValues: texts.map { (Array($0.utf8), $0) })
    let lengths = Set(wanted.keys.map(\.count))
    var found: [String: TokenID] = [:]
    for (index, token) in tokens.enumerated() where lengths.contains(token.count) {
      if let text = wanted[Array(token)] { found[text] = TokenID(index) }
    }
    return found
  }
}
