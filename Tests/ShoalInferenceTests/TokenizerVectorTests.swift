// Third-party vectors: real vocabularies with the ids that llama.cpp and others give.

import Foundation
import ShoalInference
import ShoalProtocol
import Testing

@Suite(.enabled(if: SharedData.exists("tokenizers"), "the shared data is absent"))
struct TokenizerVectorTests {
  static let vocabularies = ["llama-spm", "phi-3", "gpt-2", "falcon", "mpt"]
  static let folder = "tokenizers/llama.cpp-vocab/ggml-vocab-"

  @Test(arguments: vocabularies)
  func `real vocabularies give llama.cpp's ids`(_ name: String) throws {
    let path = "\(Self.folder)\(name).gguf"
    let tokenizer = try Tokenizer(
      TokenizerDefinition(gguf: try SharedData.gguf(path).metadata))
    let input = String(decoding: try SharedData.bytes(path + ".inp"), as: UTF8.self)
    let texts = input.components(separatedBy: "\n__ggml_vocab_test__\n")
    let output = String(decoding: try SharedData.bytes(path + ".out"), as: UTF8.self)
    let lines = output.split(separator: "\n", omittingEmptySubsequences: false)
    #expect(texts.count > 40)
    for (text, line) in zip(texts, lines) {
      let expected = line.split(separator: " ").compactMap { TokenID($0) }
      let ids = tokenizer.encode(text, addSpecial: false, parseSpecial: false)
      #expect(ids == expected, "\(text.debugDescription)")
      #expect(tokenizer.decode(ids) == text, "\(text.debugDescription)")
    }
  }

  @Test func `a vocabulary of another kind is refused by name`() throws {
    let metadata = try SharedData.gguf("\(Self.folder)bert-bge.gguf").metadata
    #expect(throws: TokenizerError.unknownModel("bert", known: ["gpt2", "llama"])) {
      try TokenizerDefinition(gguf: metadata)
    }
  }

  @Test func `a trained model's prompts give its ids`() throws {
    struct Expected: Decodable {
      struct Case: Decodable {
        let prompt: String?
        let prompt_ids: [TokenID]
      }
      let cases: [Case]
    }
    let folder = "models/stories260K/"
    let expected = try JSONDecoder().decode(
      Expected.self, from: Data(try SharedData.bytes(folder + "expected.json")))
    let file = try SharedData.gguf(folder + "stories260K-q8_0.gguf")
    let tokenizer = try Tokenizer(TokenizerDefinition(gguf: file.metadata))
    for test in expected.cases {
      let ids = tokenizer.encode(test.prompt ?? "", addSpecial: true, parseSpecial: false)
      #expect(ids == test.prompt_ids)
    }
    #expect(tokenizer.isEndOfGeneration(2))
    #expect(!tokenizer.isEndOfGeneration(1))
  }

  @Test(arguments: ["bpe-gpt2", "bpe-llama3", "bpe-qwen2", "spm-bpe", "spm-bpe-noprefix"])
  func `small vocabularies of every kind give the ids of their makers`(_ name: String) throws {
    let tiny = try TinyVocabulary(name)
    let tokenizer = try Tokenizer(tiny.definition)
    #expect(tiny.cases.count > 20)
    for test in tiny.cases {
      // The makers of Qwen's vocabulary compose characters first; llama.cpp and this do not.
      let composed = test.text.precomposedStringWithCanonicalMapping
      if name == "bpe-qwen2", !test.text.utf8.elementsEqual(composed.utf8) { continue }
      // The makers' byte-level tokenizers always parse special tokens, SentencePiece never does.
      let parses = tiny.definition.kind == .byteLevel
      let ids = tokenizer.encode(test.text, addSpecial: false, parseSpecial: parses)
      #expect(ids == test.ids, "\(test.text.debugDescription)")
    }
  }

  @Test(arguments: vocabularies)
  func `canonical bytes hold a whole vocabulary`(_ name: String) throws {
    let file = try SharedData.gguf("\(Self.folder)\(name).gguf")
    let definition = try TokenizerDefinition(gguf: file.metadata)
    let bytes = definition.canonicalBytes
    #expect(try TokenizerDefinition(canonicalBytes: bytes) == definition)
  }

  @Test(arguments: ["llama-spm", "gpt-2"])
  func `one word of a hundred thousand characters is not merged in quadratic time`(_ name: String)
    throws
  {
    let file = try SharedData.gguf("\(Self.folder)\(name).gguf")
    let tokenizer = try Tokenizer(TokenizerDefinition(gguf: file.metadata))
    let text = String(repeating: "abracadabra", count: 100_000 / 11)
    let clock = ContinuousClock()
    var ids: [TokenID] = []
    let time = clock.measure {
      ids = tokenizer.encode(text, addSpecial: false, parseSpecial: false)
    }
    #expect(tokenizer.decode(ids) == text)
    #expect(time < .seconds(5), "took \(time); quadratic merging takes minutes")
  }
}

/// One of the small vocabularies, put together as a GGUF file would have it.
struct TinyVocabulary {
  struct Case: Decodable {
    let text: String
    let ids: [TokenID]
  }
  private struct Expected: Decodable { let cases: [Case] }
  private struct Piece: Decodable {
    let text: String
    let score: Float
    let type: UInt8
    init(from decoder: any Decoder) throws {
      var fields = try decoder.unkeyedContainer()
      text = try fields.decode(String.self)
      score = try fields.decode(Float.self)
      type = try fields.decode(UInt8.self)
    }
  }

  let definition: TokenizerDefinition
  let cases: [Case]

  init(_ name: String) throws {
    let folder = "tokenizers/tiny/\(name)/"
    let decode = JSONDecoder()
    cases = try decode.decode(
      Expected.self, from: Data(try SharedData.bytes(folder + "expected.json"))
    ).cases
    let families: [String: PreTokenizer] = [
      "bpe-gpt2": .gpt2, "bpe-llama3": .llama3, "bpe-qwen2": .qwen2,
    ]
    if let preTokenizer = families[name] {
      let ids = try decode.decode(
        [String: Int].self, from: Data(try SharedData.bytes(folder + "vocab.json")))
      let tokens = ids.sorted { $0.value < $1.value }.map(\.key)
      let merges = String(decoding: try SharedData.bytes(folder + "merges.txt"), as: UTF8.self)
        .split(separator: "\n").filter { !$0.hasPrefix("#version") }.map(String.init)
      definition = TokenizerDefinition(
        kind: .byteLevel, preTokenizer: preTokenizer, tokens: ByteStrings(tokens),
        types: tokens.map { $0.hasPrefix("<|") ? .control : .normal }, scores: [],
        merges: ByteStrings(merges))
    } else {
      let pieces = try decode.decode(
        [Piece].self, from: Data(try SharedData.bytes(folder + "pieces.json")))
      var spelled = TokenizerDefinition(
        kind: .sentencePiece, preTokenizer: nil, tokens: ByteStrings(pieces.map(\.text)),
        types: pieces.map { TokenizerDefinition.TokenType(rawValue: $0.type) ?? .undefined },
        scores: pieces.map(\.score), merges: ByteStrings())
      spelled.addsSpacePrefix = name == "spm-bpe"
      definition = spelled
    }
  }
}
