// What each token adds to a text: the decoding steps, applied to every token once.

import ShoalProtocol

/// The bytes of tokens, and what the beginning of a text changes about them.
struct TokenText: Sendable {
  /// What each token adds after others.
  private(set) var pieces = ByteStrings()
  /// What each token adds at the start; empty where that is the same.
  private var firstPieces = ByteStrings()
  /// What is dropped from the start of the whole text, and how often at most.
  private(set) var droppedAtStart: [UInt8] = []
  private(set) var droppedCount = 0
  /// Whether a space at the end of a token is only there if another follows.
  private(set) var holdsLastSpace = false

  init(_ definition: TokenizerDefinition) throws(TokenizerError) {
    let steps = try Self.compile(definition.decoding)
    var joined = false
    for step in steps {
      switch step {
      case .fuse: joined = true
      case .strip(let text, let start, _) where joined:
        (droppedAtStart, droppedCount) = (text, start)
      case .wordEnd: holdsLastSpace = true
      case .strip, .byteLevel, .byteFallback, .replace, .metaspace, .wordPiece, .wordStart,
        .spaced:
        break
      }
    }
    let differs = steps.contains { $0.differsAtStart }
    pieces.reserve(strings: definition.tokens.count)
    for (index, token) in definition.tokens.enumerated() {
      let type = definition.types[index]
      switch type {
      case .unused, .undefined:
        pieces.append([])
        if differs { firstPieces.append([]) }
      case .unknown where !definition.unknownText.isEmpty:
        pieces.append(definition.unknownText.utf8)
        if differs { firstPieces.append(definition.unknownText.utf8) }
      case .normal, .unknown, .control, .userDefined, .byte:
        pieces.append(Self.decode(token, type, steps, isFirst: false))
        if differs { firstPieces.append(Self.decode(token, type, steps, isFirst: true)) }
      }
    }
  }

  func piece(_ token: TokenID, isFirst: Bool) -> ArraySlice<UInt8> {
    guard pieces.indices.contains(Int(token)) else { return [] }
    return isFirst && !firstPieces.isEmpty ? firstPieces[Int(token)] : pieces[Int(token)]
  }
}

extension TokenText {
  private enum Step {
    case byteLevel
    case byteFallback
    case replace(CompiledPattern, [UInt8])
    case metaspace([UInt8], dropsFirst: Bool)
    case wordPiece(prefix: [UInt8], cleansUp: Bool)
    case wordStart([UInt8])
    case wordEnd([UInt8])
    case strip([UInt8], start: Int, end: Int)
    case fuse
    case spaced

    var differsAtStart: Bool {
      switch self {
      case .metaspace(_, let dropsFirst): dropsFirst
      case .wordPiece, .spaced, .wordStart: true
      case .byteLevel, .byteFallback, .replace, .wordEnd, .strip, .fuse: false
      }
    }
  }

  /// Refuses what no stream of tokens can do: changes to the end of a joined text.
  private static func compile(_ steps: [DecodingStep]) throws(TokenizerError) -> [Step] {
    var compiled: [Step] = []
    var joined = false
    for step in steps {
      switch step {
      case .byteLevel: compiled.append(.byteLevel)
      case .byteFallback: compiled.append(.byteFallback)
      case .replace(let pattern, let content):
        guard !joined else { throw .unknownPart(path: "decoder", name: "Replace after Fuse") }
        compiled.append(.replace(try CompiledPattern(pattern), Array(content.utf8)))
      case .metaspace(let replacement, let scheme):
        compiled.append(.metaspace(Array(replacement.utf8), dropsFirst: scheme != .never))
      case .wordPiece(let prefix, let cleansUp):
        compiled.append(.wordPiece(prefix: Array(prefix.utf8), cleansUp: cleansUp))
      case .wordStart(let prefix): compiled.append(.wordStart(Array(prefix.utf8)))
      case .wordEnd(let suffix): compiled.append(.wordEnd(Array(suffix.utf8)))
      case .strip(let text, let start, let end):
        guard start <= Limits.tokenBytes, end <= Limits.tokenBytes else {
          throw .tooMany(
            field: "characters to strip", limit: Limits.tokenBytes, found: max(start, end))
        }
        guard !joined || end == 0 else {
          throw .unknownPart(path: "decoder", name: "Strip of the end after Fuse")
        }
        compiled.append(.strip(Array(text.utf8), start: start, end: end))
      case .fuse:
        joined = true
        compiled.append(.fuse)
      case .spaced: compiled.append(.spaced)
      }
    }
    return compiled
  }

  private static func decode(
    _ token: ArraySlice<UInt8>, _ type: TokenizerDefinition.TokenType, _ steps: [Step],
    isFirst: Bool
  ) -> [UInt8] {
    var bytes = Array(token)
    var joined = false
    for step in steps {
      switch step {
      case .byteLevel: bytes = ByteLevelAlphabet.decode(bytes)
      case .byteFallback:
        if type == .byte, let byte = ByteTokens.byte(of: token) { return [byte] }
      case .replace(let pattern, let content): bytes = pattern.replace(bytes, with: content)
      case .metaspace(let replacement, let dropsFirst):
        if isFirst, dropsFirst, bytes.starts(with: replacement) {
          bytes.removeFirst(replacement.count)
        }
        bytes = bytes.replacing(replacement, with: [0x20])
      case .wordPiece(let prefix, let cleansUp):
        if !isFirst {
          bytes = bytes.starts(with: prefix) ? Array(bytes.dropFirst(prefix.count)) : [0x20] + bytes
        }
        if cleansUp { bytes = cleaned(bytes) }
      case .wordStart(let prefix):
        if bytes.starts(with: prefix) {
          bytes = (isFirst ? [] : [0x20]) + bytes.dropFirst(prefix.count)
        }
      case .wordEnd(let suffix): bytes = bytes.replacing(suffix, with: [0x20])
      case .strip(let text, let start, let end):
        if !joined { bytes = stripped(bytes, text, start, end) }
      case .fuse: joined = true
      case .spaced: if !isFirst { bytes = [0x20] + bytes }
      }
    }
    return bytes
  }

  private static func stripped(
    _ bytes: [UInt8], _ text: [UInt8], _ start: Int, _ end: Int
  ) -> [UInt8] {
    guard !text.isEmpty else { return bytes }
    var kept = bytes[...]
    for _ in 0..<start where kept.starts(with: text) { kept = kept.dropFirst(text.count) }
    for _ in 0..<end where kept.reversed().starts(with: text.reversed()) {
      kept = kept.dropLast(text.count)
    }
    return Array(kept)
  }

  /// The English spacing that BERT's words lost (the `cleanup` of the WordPiece decoder).
  private static func cleaned(_ bytes: [UInt8]) -> [UInt8] {
    let pairs = [
      (" .", "."), (" ?", "?"), (" !", "!"), (" ,", ","), (" ' ", "'"), (" n't", "n't"),
      (" 'm", "'m"), (" do not", " don't"), (" 's", "'s"), (" 've", "'ve"), (" 're", "'re"),
    ]
    return pairs.reduce(bytes) { $0.replacing(Array($1.0.utf8), with: Array($1.1.utf8)) }
  }
}
