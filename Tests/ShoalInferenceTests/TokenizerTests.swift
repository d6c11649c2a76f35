// Tokenizers over vocabularies small enough to follow by hand.

import ShoalInference
import ShoalProtocol
import Testing

@Suite struct TokenizerTests {
  /// Bytes 3...258, then a few pieces. "ab" merges before "bc".
  static func sentencePiece() -> TokenizerDefinition {
    let bytes = (0...255).map { byte in
      "<0x" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true) + ">"
    }
    let pieces = ["▁", "a", "b", "c", "ab", "bc", "▁a", "<tool>", "é"]
    var definition = TokenizerDefinition(
      model: .scoredPairs(ScoredPairRules()),
      tokens: ByteStrings(["<unk>", "<s>", "</s>"] + bytes + pieces),
      types: [.unknown, .control, .control] + bytes.map { _ in .byte }
        + pieces.map { $0 == "<tool>" ? .userDefined : .normal })
    definition.scores = [0, 0, 0] + bytes.map { _ in 0 } + [-9, -9, -9, -9, -1, -2, -3, 0, -9]
    definition.normalizers = [.prepend(" ", .always), .replace(.literal(" "), with: "▁")]
    definition.decoding = [
      .replace(.literal("▁"), with: " "), .byteFallback, .fuse, .strip(" ", start: 1, end: 0),
    ]
    definition.added = [0, 1, 2, 266].map { AddedToken($0) }
    definition.before = [1]
    definition.beginning = 1
    definition.end = 2
    definition.unknown = 0
    definition.endOfGeneration = [2]
    return definition
  }

  /// The tokens of bytes in that vocabulary.
  static func bytes(_ bytes: [UInt8]) -> [TokenID] { bytes.map { TokenID($0) + 3 } }

  static func byteLevel() -> TokenizerDefinition {
    let letters = ["h", "i", "Ġ", "hi", "Ġhi", "<|end|>", "Ã", "©"]
    var definition = TokenizerDefinition(
      model: .pairs(PairRules()), tokens: ByteStrings(letters),
      types: letters.map { $0 == "<|end|>" ? .control : .normal })
    definition.merges = ByteStrings(["h", "i", "Ġ", "hi"])
    definition.cuts = [.byteLevel(addsSpace: false, cuts: true)]
    definition.decoding = [.byteLevel]
    definition.added = [AddedToken(5)]
    definition.endOfGeneration = [5]
    return definition
  }

  @Test func `the best score merges first and the leftmost of equals`() throws {
    let tokenizer = try Tokenizer(Self.sentencePiece())
    // "▁abc": "ab" (-1) merges before "bc" (-2) and "▁a" (-3).
    #expect(
      tokenizer.encode("abc", addSpecial: true, parseSpecial: false) == [1, 259, 263, 262])
    #expect(tokenizer.encode("a", addSpecial: false, parseSpecial: false) == [265])
  }

  @Test func `a character without a token is spelled in bytes`() throws {
    let tokenizer = try Tokenizer(Self.sentencePiece())
    let ids = tokenizer.encode("€", addSpecial: false, parseSpecial: false)
    #expect(ids == [259] + Self.bytes([0xe2, 0x82, 0xac]))
    #expect(tokenizer.decode(ids) == "€")
  }

  @Test func `control tokens in text count only when asked for, defined ones always`() throws {
    let tokenizer = try Tokenizer(Self.sentencePiece())
    #expect(tokenizer.encode("</s>", addSpecial: false, parseSpecial: true) == [2])
    #expect(!tokenizer.encode("</s>", addSpecial: false, parseSpecial: false).contains(2))
    #expect(
      tokenizer.encode("a<tool>a", addSpecial: false, parseSpecial: false) == [265, 266, 265])
  }

  @Test func `a token that swallows space takes what follows it`() throws {
    var definition = Self.sentencePiece()
    definition.added[2].takesSpaceAfter = true
    definition.normalizers.removeFirst()
    let tokenizer = try Tokenizer(definition)
    #expect(tokenizer.encode("</s> \n b", addSpecial: false, parseSpecial: true) == [2, 261])
  }

  @Test func `pairs merge within words only`() throws {
    let tokenizer = try Tokenizer(Self.byteLevel())
    #expect(tokenizer.encode("hi hi", addSpecial: false, parseSpecial: false) == [3, 4])
    #expect(tokenizer.encode("hi<|end|>", addSpecial: false, parseSpecial: true) == [3, 5])
    #expect(tokenizer.isEndOfGeneration(5))
  }

  @Test func `streamed text never splits a character`() throws {
    let tokenizer = try Tokenizer(Self.sentencePiece())
    var stream = StreamingDetokenizer(tokenizer, continuing: true)
    let emitted = Self.bytes(Array("🚀".utf8)).map { stream.append($0) }
    #expect(emitted == ["", "", "", "🚀"])
    #expect(stream.append(Self.bytes([0xc3])[0]) == "")
    #expect(stream.append(260) == "\u{fffd}a")
    #expect(stream.append(Self.bytes([0xe2])[0]) == "")
    #expect(stream.finish() == "\u{fffd}")
    #expect(stream.finish() == "")
  }

  @Test func `a text's own first space is kept, the added one dropped`() throws {
    let tokenizer = try Tokenizer(Self.sentencePiece())
    #expect(tokenizer.decode([1, 265, 263]) == "aab")
    var continued = StreamingDetokenizer(tokenizer, continuing: true)
    #expect(continued.append(265) == " a")
    #expect(continued.append(2) == "")
    var named = StreamingDetokenizer(tokenizer, continuing: true, showsControl: true)
    #expect(named.append(2) == "</s>")
  }

  @Test func `canonical bytes are read back, and refused when cut short or lengthened`() throws {
    for definition in [Self.sentencePiece(), Self.byteLevel()] {
      let bytes = definition.canonicalBytes
      #expect(try TokenizerDefinition(canonicalBytes: bytes) == definition)
      for length in 0..<bytes.count {
        #expect(throws: TokenizerError.self) {
          try TokenizerDefinition(canonicalBytes: Array(bytes.prefix(length)))
        }
      }
      #expect(throws: TokenizerError.wire(.trailing(bytes: 1))) {
        try TokenizerDefinition(canonicalBytes: bytes + [0])
      }
    }
  }

  @Test func `flipped canonical bytes give a refusal or a tokenizer that works`() throws {
    var random = SeededGenerator(state: 7)
    let sound = Self.byteLevel().canonicalBytes
    var refused = 0
    for _ in 0..<2_000 {
      var bytes = sound
      bytes[Int.random(in: 0..<bytes.count, using: &random)] ^= UInt8.random(
        in: 1...255, using: &random)
      do {
        let tokenizer = try Tokenizer(TokenizerDefinition(canonicalBytes: bytes))
        _ = tokenizer.decode(tokenizer.encode("hi hé", addSpecial: true, parseSpecial: true))
      } catch {
        refused += 1
      }
    }
    #expect((1..<2_000).contains(refused))
  }

  @Test func `vocabularies that contradict themselves are refused`() {
    typealias Change = (inout TokenizerDefinition) -> Void
    let cases: [(TokenizerError, Change)] = [
      (.count(field: "scores", expected: 268, found: 0), { $0.scores = [] }),
      (.outside(field: "special", token: 999, vocabulary: 268), { $0.end = 999 }),
      (.outside(field: "template", token: -1, vocabulary: 268), { $0.before = [-1] }),
      (.count(field: "token types", expected: 268, found: 0), { $0.types = [] }),
      (
        .duplicate(260, 268),
        {
          $0.tokens.append("a".utf8)
          $0.types.append(.normal)
          $0.scores.append(0)
        }
      ),
    ]
    for (error, change) in cases {
      var definition = Self.sentencePiece()
      change(&definition)
      #expect(throws: error) { try Tokenizer(definition) }
    }
  }

  @Test func `an unknown pre-tokenizer is refused by name`() throws {
    var file = GGUFWriting()
    file.entry("tokenizer.ggml.model", "gpt2")
    file.entry("tokenizer.ggml.pre", "nobody")
    let metadata = try GGUFFile(file.source).metadata
    let error = #expect(throws: TokenizerError.self) { try TokenizerDefinition(gguf: metadata) }
    guard case .unknownPreTokenizer(let name, let known) = error else {
      Issue.record("refused as \(String(describing: error))")
      return
    }
    #expect(name == "nobody")
    #expect(known.contains("qwen2"))
  }

  @Test(arguments: [
    (
      "gpt-2", "I'll go  home 12 times!\n",
      ["I", "'ll", " go", " ", " home", " 12", " times", "!", "\n"]
    ),
    (
      "llama-bpe", "I'LL go  home 1234!\n\n x",
      ["I", "'LL", " go", " ", " home", " ", "123", "4", "!\n\n", " x"]
    ),
    ("qwen2", "a 12\t\n b", ["a", " ", "1", "2", "\t\n", " b"]),
    ("starcoder", "x12 y", ["x", "1", "2", " y"]),
    ("falcon", "a+b 12345", ["a", "+", "b", " ", "123", "45"]),
    ("default", "v1234", ["v", "123", "4"]),
    ("tekken", "HelloWorld 12", ["Hello", "World", " ", "1", "2"]),
    ("gpt-4o", "HTTPServer's/x", ["HTTPServer's", "/x"]),
    ("deepseek-v3", "12345 .foo你好", ["123", "45", " .", "foo", "你好"]),
  ])
  func `families cut words as their expressions do`(
    _ family: String, _ text: String, _ expected: [String]
  ) throws {
    let expressions = try #require(TextFamily.named[family]).expressions
    var cut = CutText(Array(text.utf8))
    for expression in expressions {
      try CutPass(.split(.expression(expression), .isolated, isInverted: false))
        .apply(&cut, isFirst: true)
    }
    #expect(cut.words.map { String(decoding: cut.text[$0], as: UTF8.self) } == expected)
  }

  @Test func `every family's expressions can be run`() throws {
    for (name, family) in TextFamily.named {
      for expression in family.expressions {
        #expect(throws: Never.self, "\(name)") {
          try CutPass(.split(.expression(expression), .isolated, isInverted: false))
        }
      }
    }
  }
}
