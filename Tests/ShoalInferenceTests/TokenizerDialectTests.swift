// What the parts of `tokenizer.json` mean, by what Hugging Face's `tokenizers` 0.23 makes of them.

import ShoalInference
import ShoalProtocol
import Testing

@Suite struct TokenizerDialectTests {
  private func words(_ steps: [CutStep], _ text: String) throws -> [String] {
    var cut = CutText(Array(text.utf8))
    for step in steps { try CutPass(step).apply(&cut, isFirst: true) }
    return cut.words.map { String(decoding: cut.text[$0], as: UTF8.self) }
  }

  /// Matches beside each other stay two, also where a cut is inverted.
  @Test(arguments: [
    (SplitBehavior.removed, false, [" ", "  "]),
    (.removed, true, ["a", "b", ",", "c", ",", "d", "e"]),
    (.isolated, false, ["a", "b", ",", " ", "c", ",", "d", "  ", "e"]),
    (.isolated, true, ["a", "b", ",", " ", "c", ",", "d", "  ", "e"]),
    (.mergedWithPrevious, false, ["a", "b", ",", " c", ",", "d", "  e"]),
    (.mergedWithPrevious, true, ["a", "b", ", ", "c", ",", "d  ", "e"]),
    (.mergedWithNext, false, ["a", "b", ", ", "c", ",", "d  ", "e"]),
    (.mergedWithNext, true, ["a", "b", ",", " c", ",", "d", "  e"]),
    (.contiguous, false, ["ab,", " ", "c,d", "  ", "e"]),
    (.contiguous, true, ["ab,", " ", "c,d", "  ", "e"]),
  ])
  func `a text is cut at matches by every behaviour, inverted or not`(
    _ behavior: SplitBehavior, _ isInverted: Bool, _ expected: [String]
  ) throws {
    let step = CutStep.split(.expression(#"\w|,"#), behavior, isInverted: isInverted)
    #expect(try words([step], "ab, c,d  e") == expected)
  }

  @Test func `a word is what Rust calls one, and in expressions what Oniguruma does`() throws {
    let text = "It's 4\u{2163}\u{24d0}\u{bd}, x\u{200d}y"
    #expect(
      try words([.whitespace], text)
        == ["It", "'", "s", "4\u{2163}\u{24d0}", "\u{bd},", "x\u{200d}y"])
    let expression = CutStep.split(
      .expression(#"\w+|[^\w\s]+"#), .removed, isInverted: true)
    #expect(
      try words([expression], text)
        == ["It", "'", "s", "4\u{2163}\u{24d0}\u{bd}", ",", "x", "\u{200d}", "y"])
    // A hyphen behind a class begins no range.
    let hyphened = CutStep.split(.expression(#"[\w-.]+"#), .removed, isInverted: true)
    #expect(try words([hyphened], "a-b.c d") == ["a-b.c", "d"])
  }

  @Test func `an added token is looked for as the normaliser leaves it`() throws {
    let letters = ["h", "i", "HI", "Hi"]
    var definition = TokenizerDefinition(
      model: .pairs(PairRules()), tokens: ByteStrings(letters),
      types: [.normal, .normal, .userDefined, .userDefined])
    definition.normalizers = [.lowercase]
    var normalized = AddedToken(2)
    normalized.isNormalized = true
    definition.added = [normalized, AddedToken(3)]
    let tokenizer = try Tokenizer(definition)
    let encode = { tokenizer.encode($0, addSpecial: false, parseSpecial: true) }
    #expect(encode("hiHIhI") == [2, 2, 2])
    // One that is not normalised stands in the text as it was written.
    #expect(encode("Hi") == [3])
  }

  @Test func `tokens that spell bytes do so also where they are listed among the added ones`()
    throws
  {
    let names = (UInt8.min...UInt8.max).map { byte in
      "<0x" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true) + ">"
    }
    let vocabulary = names.enumerated().map { "\"\($1)\":\($0)" } + [#""a":256"#, #""<u>":257"#]
    let added = names.enumerated().map { "{\"id\":\($0),\"content\":\"\($1)\",\"special\":true}" }
    var files = TokenizerFiles()
    files["tokenizer.json"] = Array(
      """
      {"added_tokens":[\(added.joined(separator: ","))],
       "model":{"type":"BPE","vocab":{\(vocabulary.joined(separator: ","))},"merges":[],
        "unk_token":"<u>","byte_fallback":true},
       "decoder":{"type":"Sequence","decoders":[{"type":"ByteFallback"},{"type":"Fuse"}]}}
      """.utf8)
    let tokenizer = try Tokenizer(TokenizerDefinition(huggingFace: files))
    let tokens = tokenizer.encode("aé", addSpecial: false, parseSpecial: false)
    #expect(tokens == [256, 0xc3, 0xa9])
    #expect(tokenizer.decode(tokens) == "aé")
  }
}
