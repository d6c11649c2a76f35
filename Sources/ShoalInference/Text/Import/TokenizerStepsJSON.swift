// Reads the steps of `tokenizer.json`: `normalizer`, `pre_tokenizer`, `decoder`.

import ShoalProtocol

extension JSONNode {
  private func partType() throws -> String { try require("type").string() }

  private func unknownPart(_ type: String) -> TokenizerError {
    .unknownPart(path: path, name: type)
  }

  private func flag(_ key: String, or otherwise: Bool) throws -> Bool {
    try self[key]?.bool() ?? otherwise
  }

  /// `{"String": ...}` or `{"Regex": ...}`, or in old files the string alone.
  private func pattern() throws -> TextPattern {
    if case .string(let text) = value { return .literal(text) }
    if let expression = self["Regex"] { return .expression(try expression.string()) }
    return .literal(try require("String").string())
  }

  private func scheme() throws -> PrefixScheme {
    guard let node = self["prepend_scheme"] else {
      return try flag("add_prefix_space", or: true) ? .always : .never
    }
    let schemes: [String: PrefixScheme] = ["always": .always, "first": .first, "never": .never]
    let name = try node.string()
    guard let scheme = schemes[name] else { throw node.unknownPart(name) }
    return scheme
  }

  private func behavior() throws -> SplitBehavior {
    let behaviors: [String: SplitBehavior] = [
      "Removed": .removed, "Isolated": .isolated, "MergedWithPrevious": .mergedWithPrevious,
      "MergedWithNext": .mergedWithNext, "Contiguous": .contiguous,
    ]
    let name = try self["behavior"]?.string() ?? "Isolated"
    guard let behavior = behaviors[name] else { throw unknownPart(name) }
    return behavior
  }

  func normalizers() throws -> [NormalizerStep] {
    let type = try partType()
    switch type {
    case "Sequence":
      return try require("normalizers").elements().flatMap { try $0.normalizers() }
    case "NFC": return [.form(.nfc)]
    case "NFD": return [.form(.nfd)]
    case "NFKC": return [.form(.nfkc)]
    case "NFKD": return [.form(.nfkd)]
    case "Lowercase": return [.lowercase]
    case "StripAccents": return [.stripAccents]
    case "Strip":
      return [
        .strip(
          left: try flag("strip_left", or: true), right: try flag("strip_right", or: true))
      ]
    case "Prepend": return [.prepend(try require("prepend").string(), .always)]
    case "Replace":
      return [
        .replace(try require("pattern").pattern(), with: try require("content").string())
      ]
    case "BertNormalizer":
      let lowercase = try flag("lowercase", or: true)
      return [
        .bert(
          clean: try flag("clean_text", or: true),
          chinese: try flag("handle_chinese_chars", or: true),
          accents: try flag("strip_accents", or: lowercase), lowercase: lowercase)
      ]
    case "Precompiled":
      guard let map = self["precompiled_charsmap"] else { return [] }
      let text = try map.string()
      if text.isEmpty { return [] }
      guard let bytes = Base64.decode(text.utf8) else {
        throw JSONError.value(path: map.path, wanted: "Base64", found: "something else")
      }
      return [.charsmap(bytes, byGrapheme: true)]
    case "Nmt": return [.nmt]
    case "ByteLevel": return [.byteLevel]
    case _: throw unknownPart(type)
    }
  }

  func cuts() throws -> [CutStep] {
    let type = try partType()
    switch type {
    case "Sequence": return try require("pretokenizers").elements().flatMap { try $0.cuts() }
    case "ByteLevel":
      return [
        .byteLevel(
          addsSpace: try flag("add_prefix_space", or: true), cuts: try flag("use_regex", or: true))
      ]
    case "Split":
      return [
        .split(
          try require("pattern").pattern(), try behavior(),
          isInverted: try flag("invert", or: false))
      ]
    case "Metaspace":
      return [
        .metaspace(
          replacement: try self["replacement"]?.string() ?? "▁", try scheme(),
          splits: try flag("split", or: true))
      ]
    case "Whitespace": return [.whitespace]
    case "WhitespaceSplit": return [.whitespaceSplit]
    case "BertPreTokenizer": return [.bert]
    case "Digits": return [.digits(individual: try flag("individual_digits", or: false))]
    case "Punctuation": return [.punctuation(try behavior())]
    case "CharDelimiterSplit":
      return [
        .split(.literal(try require("delimiter").string()), .removed, isInverted: false)
      ]
    case _: throw unknownPart(type)
    }
  }

  func decodingSteps() throws -> [DecodingStep] {
    let type = try partType()
    switch type {
    case "Sequence":
      return try require("decoders").elements().flatMap { try $0.decodingSteps() }
    case "ByteLevel": return [.byteLevel]
    case "ByteFallback": return [.byteFallback]
    case "Fuse": return [.fuse]
    case "Metaspace":
      return [
        .metaspace(replacement: try self["replacement"]?.string() ?? "▁", try scheme())
      ]
    case "WordPiece":
      return [
        .wordPiece(
          prefix: try self["prefix"]?.string() ?? "##", cleansUp: try flag("cleanup", or: true))
      ]
    case "BPEDecoder": return [.wordEnd(suffix: try self["suffix"]?.string() ?? "</w>")]
    case "Replace":
      return [
        .replace(try require("pattern").pattern(), with: try require("content").string())
      ]
    case "Strip":
      let range = 0...Limits.tokenBytes
      return [
        .strip(
          try require("content").string(), start: try self["start"]?.integer(in: range) ?? 0,
          end: try self["stop"]?.integer(in: range) ?? 0)
      ]
    case _: throw unknownPart(type)
    }
  }
}

/// RFC 4648, section 4.
enum Base64 {
  /// Nil for anything that is no Base64.
  static func decode(_ text: some Collection<UInt8>) -> [UInt8]? {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.count / 4 * 3)
    var (bits, count): (UInt32, Int) = (0, 0)
    var padding = 0
    for letter in text {
      if letter == UInt8(ascii: "=") {
        padding += 1
        continue
      }
      guard let value = value(of: letter), padding == 0 else { return nil }
      bits = bits << 6 | value
      count += 6
      if count >= 8 {
        count -= 8
        bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
      }
    }
    return count < 6 && padding < 3 ? bytes : nil
  }

  private static func value(of letter: UInt8) -> UInt32? {
    switch letter {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(letter) - 65
    case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(letter) - 97 + 26
    case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(letter) - 48 + 52
    case UInt8(ascii: "+"): 62
    case UInt8(ascii: "/"): 63
    case _: nil
    }
  }
}
