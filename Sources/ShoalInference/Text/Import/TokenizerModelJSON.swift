// Reads `model` of `tokenizer.json`.

import ShoalProtocol

struct TokenizerModelJSON {
  let node: JSONNode

  private static let known = ["BPE", "Unigram", "WordLevel", "WordPiece"]

  func definition() throws -> TokenizerDefinition {
    // Files of the first years name no type.
    let type = try node["type"]?.string() ?? (node["merges"] == nil ? "WordPiece" : "BPE")
    var definition: TokenizerDefinition
    switch type {
    case "BPE": definition = try pairs()
    case "Unigram": return try unigram()
    case "WordPiece":
      var rules = WordPieceRules()
      rules.continuingPrefix = try node["continuing_subword_prefix"]?.string() ?? "##"
      rules.longestWord =
        try node["max_input_chars_per_word"]?.integer(in: 0...WordPieceRules.unlimited) ?? 100
      definition = try plain(.wordPiece(rules))
    case "WordLevel": definition = try plain(.wordLevel)
    case _:
      throw TokenizerError.unknownModel("\(type) (\(node.path).type)", known: Self.known)
    }
    if let text = try node["unk_token"]?.string() {
      definition.unknown = definition.token(spelled: text)
    }
    return definition
  }

  private func plain(_ model: TokenizerModel) throws -> TokenizerDefinition {
    let tokens = try TokenizerJSON.vocabulary(node.require("vocab"))
    return TokenizerDefinition(
      model: model, tokens: tokens, types: tokens.map { $0.isEmpty ? .undefined : .normal })
  }

  private func pairs() throws -> TokenizerDefinition {
    if let dropout = try node["dropout"]?.double(), dropout != 0 {
      throw TokenizerError.unknownPart(path: "\(node.path).dropout", name: "\(dropout)")
    }
    var rules = PairRules()
    rules.ignoresMerges = try node["ignore_merges"]?.bool() ?? false
    rules.spellsUnknownBytes = try node["byte_fallback"]?.bool() ?? false
    rules.fusesUnknown = try node["fuse_unk"]?.bool() ?? false
    rules.continuingPrefix = try node["continuing_subword_prefix"]?.string() ?? ""
    rules.endSuffix = try node["end_of_word_suffix"]?.string() ?? ""
    var definition = try plain(.pairs(rules))
    let merges = try node.require("merges")
    let elements = try merges.array()
    definition.merges.reserve(strings: 2 * elements.count)
    for (index, element) in elements.enumerated() {
      switch element {
      case .string(let text): definition.addMerge(spaced: Array(text.utf8)[...])
      case .array(let pair) where pair.count == 2:
        for half in pair {
          guard case .string(let text) = half else { throw Self.notPair(merges, index) }
          definition.merges.append(text.utf8)
        }
      case .array, .null, .bool, .integer, .double, .object: throw Self.notPair(merges, index)
      }
    }
    return definition
  }

  private static func notPair(_ merges: JSONNode, _ index: Int) -> JSONError {
    .type(path: "\(merges.path)[\(index)]", wanted: "a pair", found: "something else")
  }

  private func unigram() throws -> TokenizerDefinition {
    var rules = UnigramRules()
    rules.spellsUnknownBytes = try node["byte_fallback"]?.bool() ?? false
    var tokens = ByteStrings()
    var scores: [Double] = []
    let vocabulary = try node.require("vocab")
    for (index, element) in try vocabulary.array().enumerated() {
      guard case .array(let pair) = element, pair.count == 2, case .string(let text) = pair[0]
      else {
        throw JSONError.type(
          path: "\(vocabulary.path)[\(index)]", wanted: "a token and its score",
          found: element.kind)
      }
      tokens.append(text.utf8)
      switch pair[1] {
      case .double(let score): scores.append(score)
      case .integer(let score): scores.append(Double(score))
      case .null, .bool, .string, .array, .object:
        throw JSONError.type(
          path: "\(vocabulary.path)[\(index)][1]", wanted: "a number", found: pair[1].kind)
      }
    }
    var definition = TokenizerDefinition(
      model: .unigram(rules), tokens: tokens,
      types: Array(repeating: .normal, count: tokens.count))
    definition.scores = scores
    if let unknown = node["unk_id"], tokens.count > 0 {
      definition.unknown = try TokenID(unknown.integer(in: 0...tokens.count - 1))
    }
    return definition
  }
}
