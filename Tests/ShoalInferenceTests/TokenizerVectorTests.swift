// Third-party and our own vectors: real and small vocabularies of every format with the ids that
// their makers, llama.cpp and others give.

import Foundation
import ShoalInference
import ShoalProtocol
import Testing

@Suite(.enabled(if: SharedData.exists("tokenizers"), "the shared data is absent"))
struct TokenizerVectorTests {
  static let folder = "tokenizers/llama.cpp-vocab/ggml-vocab-"
  static let vocabularies = ["llama-spm", "phi-3", "gpt-2", "falcon", "mpt", "bert-bge"]

  static func gguf(_ name: String) throws -> TokenizerDefinition {
    try TokenizerDefinition(gguf: try SharedData.gguf("\(folder)\(name).gguf").metadata)
  }

  @Test(arguments: vocabularies)
  func `real vocabularies give llama.cpp's ids`(_ name: String) throws {
    let path = "\(Self.folder)\(name).gguf"
    let tokenizer = try Tokenizer(Self.gguf(name))
    let input = String(decoding: try SharedData.bytes(path + ".inp"), as: UTF8.self)
    let texts = input.components(separatedBy: "\n__ggml_vocab_test__\n")
    let output = String(decoding: try SharedData.bytes(path + ".out"), as: UTF8.self)
    let lines = output.split(separator: "\n", omittingEmptySubsequences: false)
    #expect(texts.count > 40)
    for (text, line) in zip(texts, lines) {
      let expected = line.split(separator: " ").compactMap { TokenID($0) }
      let ids = tokenizer.encode(text, addSpecial: false, parseSpecial: false)
      #expect(ids == expected, "\(text.debugDescription)")
      // WordPiece forgets case, accents and spaces.
      if name != "bert-bge" {
        #expect(tokenizer.decode(ids) == text, "\(text.debugDescription)")
      }
    }
  }

  @Test(arguments: vocabularies)
  func `canonical bytes hold a whole vocabulary`(_ name: String) throws {
    let definition = try Self.gguf(name)
    let bytes = definition.canonicalBytes
    #expect(try TokenizerDefinition(canonicalBytes: bytes) == definition)
  }

  @Test func `a damaged vocabulary from the wild is refused`() throws {
    #expect(throws: (any Error).self) {
      try Tokenizer(
        TokenizerDefinition(
          gguf: try SharedData.gguf("tokenizers/corrupt/gpt2-vocab-utf8-mangled.gguf").metadata))
    }
  }

  @Test(arguments: [
    "bpe-gpt2", "bpe-llama3", "bpe-qwen2", "spm-bpe", "spm-bpe-noprefix", "spm-unigram",
    "wordpiece",
  ])
  func `tokenizer.json gives the ids of its maker`(_ name: String) throws {
    let folder = "tokenizers/tiny/\(name)/"
    let tokenizer = try Tokenizer(TokenizerDefinition(huggingFace: try SharedData.files(folder)))
    let isSentencePiece = name.hasPrefix("spm")
    let vectors = try TokenizerVectors(
      folder + (isSentencePiece ? "expected_hf.json" : "expected.json"))
    #expect(vectors.cases.count > 20)
    for test in vectors.cases {
      #expect(
        tokenizer.encode(test.text, addSpecial: false, parseSpecial: true) == test.ids,
        "\(test.text.debugDescription)")
      if let ids = test.idsWithSpecial {
        #expect(
          tokenizer.encode(test.text, addSpecial: true, parseSpecial: true) == ids,
          "\(test.text.debugDescription)")
      }
      if let decoded = test.decoded {
        let text = tokenizer.decode(test.ids, showsControl: true)
        #expect(text == decoded, "\(test.text.debugDescription)")
      }
    }
  }

  @Test(arguments: [
    ("tiny/spm-bpe/tokenizer.model", "tiny/spm-bpe/expected.json"),
    ("tiny/spm-bpe-noprefix/tokenizer.model", "tiny/spm-bpe-noprefix/expected.json"),
    ("tiny/spm-unigram/tokenizer.model", "tiny/spm-unigram/expected.json"),
    ("tiny/spm-unigram-bytefb/tokenizer.model", "tiny/spm-unigram-bytefb/expected.json"),
    ("mistral/tokenizer.model.v1", "mistral/expected.v1.json"),
    ("mistral/mistral_instruct_tokenizer_240323.model.v3", "mistral/expected.v3.json"),
  ])
  func `SentencePiece models give SentencePiece's ids`(
    _ model: String, _ expected: String
  ) throws {
    let bytes = try SharedData.bytes("tokenizers/" + model)
    let tokenizer = try Tokenizer(TokenizerDefinition(sentencePiece: bytes))
    let vectors = try TokenizerVectors("tokenizers/" + expected)
    #expect(vectors.cases.count > 20)
    for test in vectors.cases {
      let ids = tokenizer.encode(test.text, addSpecial: false, parseSpecial: false)
      #expect(ids == test.ids, "\(test.text.debugDescription)")
      if let decoded = test.decoded {
        #expect(tokenizer.decode(test.ids) == decoded, "\(test.text.debugDescription)")
      }
    }
  }

  @Test(arguments: ["gpt2", "multilingual"])
  func `files of ranks give tiktoken's ids`(_ name: String) throws {
    let vectors = try TokenizerVectors("tokenizers/whisper/expected.\(name).json")
    let tokenizer = try Tokenizer(
      TokenizerDefinition(
        ranks: try SharedData.bytes("tokenizers/whisper/\(name).tiktoken"),
        expression: try #require(vectors.pattern)))
    #expect(vectors.cases.count > 20)
    for test in vectors.cases {
      let ids = tokenizer.encode(test.text, addSpecial: false, parseSpecial: false)
      #expect(ids == test.ids, "\(test.text.debugDescription)")
      #expect(tokenizer.decode(ids) == test.text)
    }
  }

  @Test(arguments: ["bpe-gpt2", "bpe-qwen2", "wordpiece"])
  func `the files before tokenizer.json say the same as it`(_ name: String) throws {
    var files = try SharedData.files("tokenizers/tiny/\(name)/")
    let fast = try Tokenizer(TokenizerDefinition(huggingFace: files))
    files["tokenizer.json"] = nil
    let slow = try Tokenizer(TokenizerDefinition(huggingFace: files))
    // A class that is none of Qwen's own gives no expression but GPT-2's.
    guard name != "bpe-qwen2" else { return }
    for test in try TokenizerVectors("tokenizers/tiny/\(name)/expected.json").cases {
      let ids = slow.encode(test.text, addSpecial: true, parseSpecial: false)
      #expect(ids == fast.encode(test.text, addSpecial: true, parseSpecial: false))
    }
  }

  static let oracles = [
    "bert", "falcon-7b", "gemma2", "gemma3", "gpt2", "llama-bf16-sharded", "llama-bias",
    "llama-gqa", "llama-k256", "llama-mha", "llama-tied", "llama3-rope", "mamba", "mistral-swa",
    "mixtral", "olmo2", "phi3", "qwen2", "qwen3", "starcoder2",
  ]

  @Test(arguments: oracles)
  func `the files of every oracle are read, and text comes back whole`(_ name: String) throws {
    let files = try SharedData.files("oracles/\(name)/")
    let definition = try TokenizerDefinition(huggingFace: files)
    let tokenizer = try Tokenizer(definition)
    #expect(tokenizer.count == 512)
    let text = "Once upon a time, 12 foxes — naïve 🦊 ones — ran."
    let ids = tokenizer.encode(text, addSpecial: true, parseSpecial: false)
    if name != "bert" { #expect(tokenizer.decode(ids) == text) }
    #expect(ids.starts(with: definition.before))
    #expect(try TokenizerDefinition(canonicalBytes: definition.canonicalBytes) == definition)
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
    let definitions = [
      try TokenizerDefinition(gguf: file.metadata),
      try TokenizerDefinition(huggingFace: try SharedData.files(folder + "hf/")),
    ]
    for definition in definitions {
      let tokenizer = try Tokenizer(definition)
      for test in expected.cases {
        let ids = tokenizer.encode(test.prompt ?? "", addSpecial: true, parseSpecial: false)
        #expect(ids == test.prompt_ids)
      }
      #expect(tokenizer.isEndOfGeneration(2))
      #expect(!tokenizer.isEndOfGeneration(1))
    }
  }

  @Test(arguments: ["llama-spm", "gpt-2"])
  func `one word of a hundred thousand characters is not merged in quadratic time`(_ name: String)
    throws
  {
    let tokenizer = try Tokenizer(Self.gguf(name))
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

/// A file of texts with the ids that they should give.
struct TokenizerVectors: Decodable {
  struct Case: Decodable {
    let text: String
    let ids: [TokenID]
    let idsWithSpecial: [TokenID]?
    let decoded: String?

    enum CodingKeys: String, CodingKey {
      case text
      case ids
      case idsWithSpecial = "ids_with_special"
      case decoded
    }
  }

  let cases: [Case]
  let pattern: String?

  init(_ path: String) throws {
    self = try JSONDecoder().decode(Self.self, from: Data(try SharedData.bytes(path)))
  }
}

extension SharedData {
  /// The files of a directory that say how its model reads text.
  static func files(_ folder: String) throws -> TokenizerFiles {
    var files = TokenizerFiles()
    for name in TokenizerFiles.names where exists(folder + name) {
      files[name] = try bytes(folder + name)
    }
    return files
  }
}
