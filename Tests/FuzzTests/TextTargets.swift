// Vocabularies and templates that come with models, and what they then do with a text.

import ShoalInference
import ShoalProtocol

extension FuzzTarget {
  static let texts: [FuzzTarget] = [
    FuzzTarget("json", seeds: [Array(#"{"a":[1,-2.5e3,"\ud83d\ude00\n",null,true]}"#.utf8)]) {
      bytes in
      _ = try JSONValue(parsing: bytes)
    },
    FuzzTarget("tokenizer-json") { bytes in
      var files = TokenizerFiles()
      files["tokenizer.json"] = bytes
      try use(TokenizerDefinition(huggingFace: files))
    },
    FuzzTarget("tokenizer-config", seeds: [Array(#"{"chat_template":"{{ 1 }}"}"#.utf8)]) { bytes in
      var files = TokenizerFiles()
      files["tokenizer_config.json"] = bytes
      files["vocab.txt"] = Array("[PAD]\n[UNK]\n[CLS]\n[SEP]\na\n##b".utf8)
      _ = try files.chatTemplate()
      try use(TokenizerDefinition(huggingFace: files))
    },
    FuzzTarget("word-list") { bytes in
      var files = TokenizerFiles()
      files["vocab.txt"] = bytes
      try use(TokenizerDefinition(huggingFace: files))
    },
    FuzzTarget("sentencepiece") { bytes in try use(TokenizerDefinition(sentencePiece: bytes)) },
    FuzzTarget("ranks", seeds: [Array("YQ== 0\nYg== 1\nYWI= 2\n".utf8)]) { bytes in
      try use(
        TokenizerDefinition(ranks: bytes, expression: #"[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?\S|\s+"#))
    },
    // The expression by which a tokenizer cuts words is a stranger's program too.
    FuzzTarget(
      "word-expression", seeds: [Array(#"(?i:'s|'t)|\p{L}{1,3}+|[^\s\p{L}]+|\s+(?!\S)"#.utf8)]
    ) { bytes in
      try use(
        TokenizerDefinition(
          ranks: Array("YQ== 0\nYg== 1\n".utf8), expression: String(decoding: bytes, as: UTF8.self))
      )
    },
    FuzzTarget("tokenizer", seeds: tags) { bytes in
      let definition = try TokenizerDefinition(canonicalBytes: bytes)
      guard definition.canonicalBytes == bytes else {
        throw BrokenPromise(description: "a tokenizer is not written as it was read")
      }
      try use(definition)
    },
    FuzzTarget("chat-template") { bytes in
      let template = try ChatTemplate(String(decoding: bytes, as: UTF8.self))
      let message = JSONObject([("role", .string("user")), ("content", .string("Hi"))])
      _ = try template.render(
        [.object(message)], ChatTemplate.Context(now: TemplateDate(unixSeconds: 1_800_000_000)))
    },
  ]

  private static func use(_ definition: TokenizerDefinition) throws {
    let tokenizer = try Tokenizer(definition)
    let tokens = tokenizer.encode(
      "Hello, wörld 12 <s> 日本", addSpecial: true, parseSpecial: true)
    guard tokens.allSatisfy({ (0..<definition.tokens.count).contains(Int($0)) }) else {
      throw BrokenPromise(description: "a token that the vocabulary does not have: \(tokens)")
    }
  }
}
