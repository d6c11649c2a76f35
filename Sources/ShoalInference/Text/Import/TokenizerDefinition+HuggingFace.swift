// A tokenizer out of a Hugging Face directory: the fast tokenizer's own description where it is
// there, else the files that it would be made of.

import ShoalProtocol

extension TokenizerDefinition {
  /// Reads `tokenizer.json`, else `tokenizer.model`, else `vocab.json` and `merges.txt`, else
  /// `vocab.txt`; then what the other files say of special tokens. Validates the result.
  ///
  /// Throws `.unknownPart` with the path of what is not known.
  public init(huggingFace files: TokenizerFiles) throws(TokenizerError) {
    let settings = try TokenizerSettings(files)
    if let json = try files.json("tokenizer.json") {
      self = try Self.reading("tokenizer.json") { try TokenizerJSON(json).definition() }
    } else if let bytes = files["tokenizer.model"] {
      try self.init(sentencePiece: bytes)
      settleSentencePiece(settings)
    } else if let vocabulary = try files.json("vocab.json") {
      guard let merges = files["merges.txt"] else { throw .missing(field: "merges.txt") }
      self = try Self.reading("vocab.json") {
        try Self.pairs(vocabulary, merges: merges, settings)
      }
    } else if let bytes = files["vocab.txt"] {
      self = Self.wordPieces(bytes, settings)
    } else {
      throw .missing(field: "tokenizer.json, tokenizer.model, vocab.json or vocab.txt")
    }
    try settle(settings)
    try validate()
  }

  /// Names the file in an error of its JSON. Within, a document and what it says both throw.
  static func reading<Value>(
    _ file: String, _ body: () throws -> Value
  ) throws(TokenizerError) -> Value {
    do {
      return try body()
    } catch let error as JSONError {
      throw .json(file: file, error)
    } catch let error as TokenizerError {
      throw error
    } catch {
      throw .unknownPart(path: file, name: "\(error)")
    }
  }

  /// GPT-2's two files; Qwen's are of the same form.
  private static func pairs(
    _ vocabulary: JSONNode, merges: [UInt8], _ settings: TokenizerSettings
  ) throws -> Self {
    let tokens = try TokenizerJSON.vocabulary(vocabulary)
    var definition = Self(
      model: .pairs(PairRules()), tokens: tokens,
      types: Array(repeating: .normal, count: tokens.count))
    let isQwen = settings.tokenizerClass.hasPrefix("Qwen2")
    let family = TextFamily.named[isQwen ? "qwen2" : "gpt-2"]
    if isQwen { definition.normalizers = [.form(.nfc)] }
    definition.cuts = (family?.expressions ?? []).map {
      .split(.expression($0), .isolated, isInverted: false)
    }
    definition.cuts.append(.byteLevel(addsSpace: settings.addsPrefixSpace, cuts: false))
    definition.decoding = [.byteLevel]
    for line in merges.split(separator: 0x0a) where !line.starts(with: "#version".utf8) {
      definition.addMerge(spaced: line.last == 0x0d ? line.dropLast() : line)
    }
    return definition
  }

  /// BERT's list of words, one in a line.
  private static func wordPieces(_ bytes: [UInt8], _ settings: TokenizerSettings) -> Self {
    var tokens = ByteStrings()
    var lines = bytes.split(separator: 0x0a, omittingEmptySubsequences: false)
    if lines.last?.isEmpty == true { lines.removeLast() }
    for line in lines { tokens.append(line.last == 0x0d ? line.dropLast() : line) }
    var definition = Self(
      model: .wordPiece(WordPieceRules()), tokens: tokens,
      types: Array(repeating: .normal, count: tokens.count))
    definition.normalizers = [
      .bert(
        clean: true, chinese: settings.splitsChinese,
        accents: settings.stripsAccents ?? settings.lowercases, lowercase: settings.lowercases)
    ]
    definition.cuts = [.bert]
    definition.decoding = [.wordPiece(prefix: "##", cleansUp: true)]
    let special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    definition.add(
      special.compactMap { definition.token(spelled: $0) }.map { (AddedToken($0), .control) })
    definition.unknown = definition.token(spelled: "[UNK]")
    definition.before = definition.token(spelled: "[CLS]").map { [$0] } ?? []
    definition.after = definition.token(spelled: "[SEP]").map { [$0] } ?? []
    return definition
  }

  /// What surrounds a text that SentencePiece tokenises is said by the class of the tokenizer.
  private mutating func settleSentencePiece(_ settings: TokenizerSettings) {
    let isT5 = settings.tokenizerClass.hasPrefix("T5")
    let addsBeginning = isT5 ? false : settings.addsBeginning ?? true
    let addsEnd = isT5 ? true : settings.addsEnd ?? false
    before = addsBeginning ? beginning.map { [$0] } ?? [] : []
    after = addsEnd ? end.map { [$0] } ?? [] : []
  }
}

extension TokenizerDefinition {
  /// Applies what the other files say.
  fileprivate mutating func settle(_ settings: TokenizerSettings) throws(TokenizerError) {
    try place(settings.added.map { ($0.text, $0.token.token) })
    add(settings.added.map { ($0.token, $0.isSpecial ? .control : .userDefined) })
    if let text = settings.beginning, let token = token(spelled: text) { beginning = token }
    if let text = settings.end, let token = token(spelled: text) { end = token }
    if let text = settings.unknown, unknown == nil { unknown = token(spelled: text) }
    if settings.obeysFlags {
      if let adds = settings.addsBeginning, let beginning {
        before = before.filter { $0 != beginning }
        if adds { before.insert(beginning, at: 0) }
      }
      if let adds = settings.addsEnd, let end {
        after = after.filter { $0 != end }
        if adds { after.append(end) }
      }
    }
    let ends = settings.ends.filter { tokens.indices.contains(Int($0)) }
    settleEnds(Set(ends), among: Set(added.map(\.token)))
  }

  /// Puts tokens where another file says that they are: in gaps, and after the last.
  mutating func place(_ placed: [(text: String, token: TokenID)]) throws(TokenizerError) {
    var missing: [Int: String] = [:]
    for (text, token) in placed {
      guard token >= 0, token < Limits.tokens else {
        throw .tooMany(field: "tokens", limit: Limits.tokens, found: Int(token))
      }
      if Int(token) >= tokens.count || tokens[Int(token)].isEmpty { missing[Int(token)] = text }
    }
    guard let last = missing.keys.max() else { return }
    var filled = ByteStrings()
    filled.reserve(strings: max(tokens.count, last + 1))
    for index in 0..<max(tokens.count, last + 1) {
      let isNew = index >= tokens.count
      if isNew { types.append(.undefined) }
      if isNew, !scores.isEmpty { scores.append(0) }
      if let text = missing[index] {
        filled.append(text.utf8)
        types[index] = .normal
      } else {
        filled.append(isNew ? [] : tokens[index])
      }
    }
    tokens = filled
  }

  /// Marks tokens as ones that are found in texts. What is said first of a token counts.
  mutating func add(_ marked: [(token: AddedToken, type: TokenType)]) {
    var known = Set(added.map(\.token))
    for (token, type) in marked where types.indices.contains(Int(token.token)) {
      guard known.insert(token.token).inserted else { continue }
      types[Int(token.token)] = type
      added.append(token)
    }
    added.sort { $0.token < $1.token }
  }

  /// A token by its spelling, looked for one by one.
  func token(spelled text: String) -> TokenID? {
    let wanted = Array(text.utf8)
    return tokens.firstIndex { $0.elementsEqual(wanted) }.map { TokenID($0) }
  }
}
