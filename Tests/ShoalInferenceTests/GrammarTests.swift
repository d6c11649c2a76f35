// What answers a form allows: byte by byte with a vocabulary of single bytes, and with tokens of
// several bytes against a walk of each token by itself.

import ShoalInference
import Testing

/// Every byte is a token, number 256 ends a text, and further tokens have several bytes.
struct ByteVocabulary {
  static let end: TokenID = 256
  let tokenizer: Tokenizer
  let words: [[UInt8]]

  init(_ further: [String] = []) throws {
    var tokens = ByteStrings()
    var types: [TokenizerDefinition.TokenType] = []
    words = (0..<256).map { [UInt8($0)] } + [Array("<end>".utf8)] + further.map { Array($0.utf8) }
    for (index, word) in words.enumerated() {
      tokens.append(word)
      types.append(index == 256 ? .control : .normal)
    }
    var definition = TokenizerDefinition(model: .wordLevel, tokens: tokens, types: types)
    definition.endOfGeneration = [Self.end]
    tokenizer = try Tokenizer(definition)
  }

  func constraint(_ format: AnswerFormat) throws -> TokenConstraint {
    let vocabulary = SortedVocabulary(tokenizer)
    return try #require(try TokenConstraint(format, tokenizer, vocabulary: vocabulary))
  }
}

enum Verdict { case whole, beginning, refused }

/// What a form says of a text.
private func verdict(_ text: String, _ format: AnswerFormat) throws -> Verdict {
  var constraint = try ByteVocabulary().constraint(format)
  for byte in text.utf8 {
    guard constraint.mask().contains(Int(byte)) else { return .refused }
    constraint.take([byte])
  }
  return constraint.isComplete || constraint.mask().contains(256) ? .whole : .beginning
}

struct GrammarTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let schema: String
    let whole: [String]
    let refused: [String]
    var testDescription: String { schema }
  }

  static let cases: [Case] = [
    Case(
      schema: #"{"type":"object","properties":{"a":{"type":"integer"},"b":{"type":"string"}},"#
        + #""required":["a","b"],"additionalProperties":false}"#,
      whole: [
        #"{"a":1,"b":"x"}"#, "{\n  \"a\": -12,\n  \"b\": \"\"\n}", #" { "a": 0, "b": "é\n"}"#,
      ],
      refused: [#"{"b":"x","a":1}"#, #"{"a":1}"#, #"{"a":1.5"#, #"{"a":01"#, "[", "{\"a\":1,\"c"]),
    Case(
      schema: #"{"properties":{"a":{},"b":{"type":"null"},"c":{"type":"boolean"}},"#
        + #""required":["b"]}"#,
      whole: [#"{"b":null}"#, #"{"a":[1,{"x":2}],"b":null}"#, #"{"b":null,"c":true}"#],
      refused: ["{}", #"{"c""#, #"{"b":null,"a""#, #"{"b":null,}"#, #"{,"#]),
    Case(
      schema: #"{"type":"object","properties":{"a":{"type":"number"}}}"#,
      whole: ["{}", #"{"a":1.25e-3}"#, #"{"a":0}"#], refused: [#"{"a":.5"#, #"{"a":1.}"#, "{,"]),
    Case(
      schema: #"{"enum":["red","green",7,null]}"#, whole: [#""red""#, #""green""#, "7", "null"],
      refused: [#""re""#, "77", #""blue"#]),
    Case(schema: #"{"const":{"k":[1,"ü"]}}"#, whole: [#"{"k":[1,"ü"]}"#], refused: [#"{"k":[2"#]),
    Case(
      schema: #"{"type":"array","items":{"type":"integer"},"minItems":2,"maxItems":3}"#,
      whole: ["[1,2]", "[ 1, 2, 3 ]"], refused: ["[1]", "[]", "[1,2,3,4"]),
    Case(
      schema: #"{"type":"string","minLength":1,"maxLength":2}"#,
      whole: [#""é""#, #""\u00e9x""#], refused: [#""""#, #""abc"#, #""\ud83d"#]),
    Case(
      schema: #"{"type":["string","null"]}"#, whole: ["null", #""null""#],
      refused: ["true", "nul "]),
    Case(
      schema:
        ##"{"anyOf":[{"type":"integer"},{"type":"object","properties":{"n":{"$ref":"#"}}}]}"##,
      whole: ["1", #"{"n":{"n":{"n":3}}}"#, "{}"], refused: [#"{"n":"x"#, #"{"n":{"n":}"#]),
    Case(
      schema: ##"{"$ref":"#/$defs/a~1b","$defs":{"a/b":{"type":"boolean"}}}"##,
      whole: ["true", "false"], refused: ["null"]),
    Case(
      schema: #"{"type":"object","additionalProperties":{"type":"integer"}}"#,
      whole: ["{}", #"{"any":1,"thing":2}"#], refused: [#"{"any":"x"#]),
    Case(
      schema: #"{"allOf":[{"type":"null"}],"title":"t","description":"d","default":1}"#,
      whole: ["null"], refused: ["1"]),
    Case(schema: "true", whole: ["1", "[[],{}]", #""x""#], refused: ["x", "\u{1}"]),
  ]

  @Test(arguments: cases)
  func `a schema allows what it allows and refuses the rest`(_ one: Case) throws {
    for text in one.whole { #expect(try verdict(text, .schema(one.schema)) == .whole, "\(text)") }
    for text in one.refused {
      #expect(try verdict(text, .schema(one.schema)) == .refused, "\(text)")
    }
  }

  @Test func `any JSON object is one, whatever is in it`() throws {
    let whole = #"{"a":[1,2.5,-0,"\"\\\u12aB",true,null,{"b":{}}],"ключ":"𐍈"}"#
    #expect(try verdict(whole, .json) == .whole)
    for end in whole.indices.dropFirst() {
      #expect(try verdict(String(whole[..<end]), .json) == .beginning)
    }
    for text in ["[]", "1", #"{"a":1,}"#, #"{"a":1}}"#, "{'a'", #"{"a":"\x"#, #"{"a":tru "#] {
      #expect(try verdict(text, .json) == .refused, "\(text)")
    }
  }

  @Test(arguments: [
    (#"{"type":"integer","minimum":3}"#, "schema.minimum"),
    (#"{"type":"string","pattern":"a"}"#, "schema.pattern"),
    (#"{"properties":{"a":{"oneOf":[]}}}"#, "schema.properties.a.oneOf"),
    (#"{"anyOf":[{"type":"null"},{"not":{}}]}"#, "schema.anyOf[1].not"),
    (#"{"allOf":[{"type":"null"},{"type":"null"}]}"#, "schema.allOf"),
    (#"{"type":"date"}"#, "schema.type"),
    (#"{"type":"array","items":{"patternProperties":{}}}"#, "schema.items.patternProperties"),
  ])
  func `what a grammar cannot keep is refused by its path`(_ schema: String, _ path: String) {
    #expect {
      try AnswerFormat.schema(schema).check()
    } throws: { error in
      guard case SchemaError.unsupported(path, _)? = error as? SchemaError else { return false }
      return true
    }
  }

  @Test func `schemas that allow nothing, are endless, or too large are refused`() {
    let deadEnd = #"{"properties":{"a":{"type":"null"},"b":false},"required":["a","b"]}"#
    for schema in [deadEnd, ##"{"$ref":"#"}"##, #"{"enum":["a"],"type":"null"}"#, "false"] {
      #expect(throws: SchemaError.nothing) { try AnswerFormat.schema(schema).check() }
    }
    let huge = #"{"type":"array","minItems":99999,"items":{"type":"string","maxLength":9}}"#
    #expect(throws: SchemaError.tooLarge(limit: 1 << 17)) { try AnswerFormat.schema(huge).check() }
    #expect(throws: SchemaError.self) { try AnswerFormat.schema("{").check() }
    let missing = ##"{"$ref":"#/$defs/x"}"##
    #expect(throws: SchemaError.unresolved(path: "schema.$ref", reference: "#/$defs/x")) {
      try AnswerFormat.schema(missing).check()
    }
  }

  /// The sorted walk skips whole families of tokens; each by itself must come to the same.
  @Test func `a mask has exactly the tokens whose bytes may follow`() throws {
    let further = [
      "{\"", "\":", "true", "tru", "truth", "null", "\"a\"", "\"a\":", " {", "\n  \"", "12", "12.5",
      "1,", "],", "]}", "}}", "é", "\"}", "\\n", "\\u", "name", "\", \"",
    ]
    let vocabulary = try ByteVocabulary(further)
    var generator = Steps(state: 7)
    let schemas = [Self.cases[1].schema, Self.cases[8].schema]
    for format in [AnswerFormat.json] + schemas.map({ .schema($0) }) {
      var whole = try vocabulary.constraint(format)
      for _ in 0..<24 where !whole.isComplete {
        let mask = whole.mask()
        var allowed: [Int] = []
        for (token, word) in vocabulary.words.enumerated() where token != 256 {
          var alone = whole
          var isAllowed = true
          for byte in word where isAllowed {
            isAllowed = alone.mask().contains(Int(byte))
            alone.take([byte])
          }
          #expect(mask.contains(token) == isAllowed, "\(word)")
          if isAllowed { allowed.append(token) }
        }
        guard !allowed.isEmpty else { break }
        whole.take(vocabulary.words[allowed[generator.next(below: allowed.count)]])
      }
    }
  }

  /// Chance drives the answer wherever the masks let it go.
  @Test func `whatever is chosen from masks, a finished answer is JSON`() throws {
    let vocabulary = try ByteVocabulary(["{\"", "\":", "true", "null"])
    var (generator, finished) = (Steps(state: 3), 0)
    for round in 0..<60 {
      let format = round % 2 == 0 ? AnswerFormat.json : .schema(Self.cases[round % 13].schema)
      var constraint = try vocabulary.constraint(format)
      var text: [UInt8] = []
      for step in 0..<400 where !constraint.isComplete {
        let mask = constraint.mask()
        // Further on, those that close are tried first, so that most answers end.
        let closers = step > 20 ? [0x7d, 0x5d, 0x22, 0x31] : []
        let allowed = vocabulary.words.indices.filter { mask.contains($0) && $0 != 256 }
        guard !allowed.isEmpty else { break }
        let token =
          closers.first { mask.contains($0) } ?? allowed[generator.next(below: allowed.count)]
        text += vocabulary.words[token]
        constraint.take(vocabulary.words[token])
      }
      guard constraint.isComplete else { continue }
      finished += 1
      var limits = JSONLimits()
      limits.depth = 200
      #expect(throws: Never.self, "\(String(decoding: text, as: UTF8.self))") {
        do { _ = try JSONValue(parsing: text, limits: limits) } catch JSONError.duplicate {}
      }
    }
    #expect(finished > 20)
  }
}

/// Numbers by a linear congruence (Knuth, "MMIX").
private struct Steps {
  var state: UInt64

  mutating func next(below limit: Int) -> Int {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Int(state >> 33) % limit
  }
}
