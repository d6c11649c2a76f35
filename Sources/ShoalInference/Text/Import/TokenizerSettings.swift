// What the small files beside a vocabulary say: which tokens are special, which end a text, and
// what the classes of `transformers` read from their configuration.

struct TokenizerSettings {
  struct Added {
    let text: String
    let token: AddedToken
    let isSpecial: Bool
  }

  private(set) var tokenizerClass = ""
  private(set) var beginning: String?
  private(set) var end: String?
  private(set) var unknown: String?
  private(set) var addsBeginning: Bool?
  private(set) var addsEnd: Bool?
  private(set) var addsPrefixSpace = false
  private(set) var lowercases = true
  private(set) var stripsAccents: Bool?
  private(set) var splitsChinese = true
  private(set) var ends: [TokenID] = []
  private(set) var added: [Added] = []

  /// Classes that put `add_bos_token` over what `tokenizer.json` says.
  var obeysFlags: Bool {
    ["Llama", "CodeLlama", "Gemma", "Cohere"].contains { tokenizerClass.hasPrefix($0) }
  }

  init(_ files: TokenizerFiles) throws(TokenizerError) {
    for file in ["special_tokens_map.json", "tokenizer_config.json"] {
      guard let json = try files.json(file) else { continue }
      try TokenizerDefinition.reading(file) { try readNames(json) }
    }
    if let json = try files.json("tokenizer_config.json") {
      try TokenizerDefinition.reading("tokenizer_config.json") { try readConfiguration(json) }
    }
    if let json = try files.json("added_tokens.json") {
      try TokenizerDefinition.reading("added_tokens.json") { try readAdded(json) }
    }
    for file in ["generation_config.json", "config.json"] where ends.isEmpty {
      guard let node = try files.json(file)?["eos_token_id"] else { continue }
      try TokenizerDefinition.reading(file) { ends = try Self.tokens(node) }
    }
  }

  /// A special token is a string, or an object with its content.
  private static func name(_ node: JSONNode?) throws(JSONError) -> String? {
    guard let node else { return nil }
    if case .object = node.value { return try node.require("content").string() }
    return try node.string()
  }

  private mutating func readNames(_ json: JSONNode) throws(JSONError) {
    beginning = try Self.name(json["bos_token"]) ?? beginning
    end = try Self.name(json["eos_token"]) ?? end
    unknown = try Self.name(json["unk_token"]) ?? unknown
  }

  private mutating func readConfiguration(_ json: JSONNode) throws(JSONError) {
    tokenizerClass = try json["tokenizer_class"]?.string() ?? ""
    addsBeginning = try json["add_bos_token"]?.bool()
    addsEnd = try json["add_eos_token"]?.bool()
    addsPrefixSpace = try json["add_prefix_space"]?.bool() ?? false
    lowercases = try json["do_lower_case"]?.bool() ?? true
    stripsAccents = try json["strip_accents"]?.bool()
    splitsChinese = try json["tokenize_chinese_chars"]?.bool() ?? true
    for (id, node) in try json["added_tokens_decoder"]?.members() ?? [] {
      guard let token = TokenID(id) else {
        throw .value(path: node.path, wanted: "the number of a token", found: id)
      }
      added.append(
        Added(
          text: try node.require("content").string(), token: try AddedToken(token, node),
          isSpecial: try node["special"]?.bool() ?? false))
    }
  }

  private mutating func readAdded(_ json: JSONNode) throws(JSONError) {
    for (text, node) in try json.members() {
      let token = try TokenID(node.integer(in: 0...Int(TokenID.max)))
      added.append(Added(text: text, token: AddedToken(token), isSpecial: false))
    }
  }

  /// One number or several.
  private static func tokens(_ node: JSONNode) throws(JSONError) -> [TokenID] {
    let range = -1...Int(TokenID.max)
    guard case .array = node.value else { return [try TokenID(node.integer(in: range))] }
    var tokens: [TokenID] = []
    for element in try node.elements() { tokens.append(try TokenID(element.integer(in: range))) }
    return tokens
  }
}

extension AddedToken {
  /// The flags of a token in `added_tokens` or `added_tokens_decoder`.
  init(_ token: TokenID, _ node: JSONNode) throws(JSONError) {
    self.init(token)
    takesSpaceBefore = try node["lstrip"]?.bool() ?? false
    takesSpaceAfter = try node["rstrip"]?.bool() ?? false
    isWholeWord = try node["single_word"]?.bool() ?? false
    isNormalized = try node["normalized"]?.bool() ?? false
  }
}
