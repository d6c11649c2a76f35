// Reads `tokenizer.json`, the description of a fast tokenizer (Hugging Face, `tokenizers`): added
// tokens, and what is put around a text. Steps and models have files of their own.

import ShoalProtocol

struct TokenizerJSON {
  private let root: JSONNode

  init(_ root: JSONNode) { self.root = root }

  /// Throws `JSONError` for a document of another shape, `TokenizerError` for unknown parts.
  func definition() throws -> TokenizerDefinition {
    var definition = try TokenizerModelJSON(node: root.require("model")).definition()
    var placed: [(text: String, token: TokenID)] = []
    let nodes = try root["added_tokens"]?.elements() ?? []
    for node in nodes {
      let token = try TokenID(node.require("id").integer(in: 0...Limits.tokens - 1))
      placed.append((try node.require("content").string(), token))
    }
    try definition.place(placed)
    var marked: [(token: AddedToken, type: TokenizerDefinition.TokenType)] = []
    for (node, (text, token)) in zip(nodes, placed) {
      guard definition.tokens[Int(token)].elementsEqual(text.utf8) else {
        throw JSONError.value(
          path: node.path, wanted: "token \(token) as the vocabulary spells it", found: text)
      }
      let isSpecial = try node["special"]?.bool() ?? false
      marked.append((try AddedToken(token, node), isSpecial ? .control : .userDefined))
    }
    definition.add(marked)
    if let node = root["normalizer"] { definition.normalizers = try node.normalizers() }
    if let node = root["pre_tokenizer"] { definition.cuts = try node.cuts() }
    definition.decoding = try root["decoder"]?.decodingSteps() ?? [.spaced]
    definition.markBytes()
    if let node = root["post_processor"] { try readTemplate(node, &definition) }
    return definition
  }

  private func readTemplate(_ node: JSONNode, _ definition: inout TokenizerDefinition) throws {
    let type = try node.require("type").string()
    switch type {
    case "Sequence":
      for part in try node.require("processors").elements() { try readTemplate(part, &definition) }
    case "ByteLevel": break
    case "BertProcessing", "RobertaProcessing":
      definition.before = [try Self.pair(node.require("cls"))]
      definition.after = [try Self.pair(node.require("sep"))]
    case "TemplateProcessing": try readPieces(node, &definition)
    case _: throw TokenizerError.unknownPart(path: node.path, name: type)
    }
  }

  /// A spelling and a number.
  private static func pair(_ node: JSONNode) throws -> TokenID {
    let elements = try node.elements()
    guard elements.count == 2 else { throw node.type("a token and its number") }
    return try TokenID(elements[1].integer(in: 0...Limits.tokens - 1))
  }

  /// Tokens before and after the one sequence `A`.
  private func readPieces(_ node: JSONNode, _ definition: inout TokenizerDefinition) throws {
    var sides: [[TokenID]] = [[]]
    for piece in try node.require("single").elements() {
      if piece["Sequence"] != nil {
        sides.append([])
        continue
      }
      let name = try piece.require("SpecialToken").require("id").string()
      let special = try node.require("special_tokens").require(name)
      for id in try special.require("ids").elements() {
        sides[sides.count - 1].append(try TokenID(id.integer(in: 0...Limits.tokens - 1)))
      }
    }
    guard sides.count == 2 else {
      throw TokenizerError.unknownPart(
        path: node.path, name: "a template of \(sides.count - 1) sequences")
    }
    (definition.before, definition.after) = (sides[0], sides[1])
  }

  /// A vocabulary as an object from spelling to number; numbers that nobody has are gaps.
  static func vocabulary(_ node: JSONNode) throws -> ByteStrings {
    var spellings: [String?] = []
    for member in try node.object().members {
      guard case .integer(let id) = member.value, id >= 0, id < Limits.tokens else {
        throw JSONError.value(
          path: "\(node.path).\(member.key)", wanted: "the number of a token",
          found: member.value.kind)
      }
      while spellings.count <= Int(id) { spellings.append(nil) }
      guard spellings[Int(id)] == nil else {
        throw JSONError.value(
          path: "\(node.path).\(member.key)", wanted: "a number of its own", found: "\(id)")
      }
      spellings[Int(id)] = member.key
    }
    var tokens = ByteStrings()
    for spelling in spellings { tokens.append((spelling ?? "").utf8) }
    return tokens
  }
}

extension TokenizerDefinition {
  /// Types the tokens that stand for bytes, where bytes are spelled so: also those that are listed
  /// among the added ones.
  fileprivate mutating func markBytes() {
    guard decoding.contains(.byteFallback) else { return }
    for (index, token) in tokens.enumerated()
    where ByteTokens.byte(of: token) != nil {
      types[index] = .byte
    }
  }
}
