// How byte-level vocabularies cut text into words before merging: one way per family of models.

/// A way to cut text into words. Merges never cross from one word into the next.
///
/// The raw value is the family's name in the canonical bytes of a tokenizer.
public enum PreTokenizer: String, CaseIterable, Hashable, Sendable {
  /// What llama.cpp does for files that name none.
  case standard = "default"
  /// GPT-2: contractions, words, numbers, other signs, each with one space before it.
  case gpt2 = "gpt-2"
  /// Llama 3: as GPT-4's, numbers in threes.
  case llama3 = "llama-bpe"
  /// Qwen 2: as Llama 3's, digit by digit.
  case qwen2 = "qwen2"
  /// StarCoder: as GPT-2's, digit by digit.
  case starcoder = "starcoder"
  /// Falcon: punctuation apart, numbers in threes.
  case falcon = "falcon"

  /// What a name in a GGUF file stands for.
  struct Family {
    let preTokenizer: PreTokenizer
    var ignoresMerges = false
    var addsBeginning = false
  }

  /// By the values of `tokenizer.ggml.pre` (llama.cpp, `llama-vocab.cpp`).
  static let families: [String: Family] = {
    var families: [String: Family] = ["default": Family(preTokenizer: .standard)]
    for name in ["llama3", "llama-v3", "llama-bpe", "falcon3", "falcon-h1", "pixtral", "lfm2"] {
      families[name] = Family(preTokenizer: .llama3, ignoresMerges: true, addsBeginning: true)
    }
    let plain: [PreTokenizer: [String]] = [
      .gpt2: [
        "gpt-2", "phi-2", "mpt", "olmo", "jais", "gigachat", "a.x-4.0", "mellum", "modern-bert",
        "exaone4", "trillion", "granite-docling",
      ],
      .llama3: ["dbrx", "smaug-bpe", "glm4", "chatglm-bpe"],
      .qwen2: [
        "qwen2", "deepseek-r1-qwen", "kormo", "megrez", "hunyuan", "stablelm2", "grok-2",
        "solar-open",
      ],
      .starcoder: [
        "starcoder", "refact", "command-r", "smollm", "codeshell", "exaone", "minerva-7b",
      ],
      .falcon: ["falcon"],
    ]
    for (preTokenizer, names) in plain {
      for name in names { families[name] = Family(preTokenizer: preTokenizer) }
    }
    return families
  }()

  /// The words of UTF-8 `text`, which they cover without gaps.
  package func words(_ text: [UInt8]) -> [Range<Int>] {
    let scanned = ScannedText(text)
    var ends = [scanned.count]
    for pass in passes {
      var refined: [Int] = []
      var start = 0
      for end in ends {
        scanned.cut(start..<end, by: pass, into: &refined)
        start = end
      }
      ends = refined
    }
    var words: [Range<Int>] = []
    words.reserveCapacity(ends.count)
    var start = 0
    for end in ends where end > start {
      words.append(scanned.offsets[start]..<scanned.offsets[end])
      start = end
    }
    return words
  }

  /// Each pass cuts the words of the one before.
  private var passes: [WordPass] {
    switch self {
    case .standard: [.punctuation(backtick: false), .gpt2, .numbers, .digitTriples]
    case .gpt2: [.gpt2]
    case .llama3: [.gpt4(digits: 3)]
    case .qwen2: [.gpt4(digits: 1)]
    case .starcoder: [.digits, .gpt2]
    case .falcon: [.punctuation(backtick: true), .gpt2, .digitTriples]
    }
  }
}

/// One way to cut a word into smaller ones.
enum WordPass {
  /// `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`
  case gpt2
  /// `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,digits}|`
  /// ` ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`
  case gpt4(digits: Int)
  /// Runs of `[\p{P}$+<=>^~|]`, with the backtick or without it.
  case punctuation(backtick: Bool)
  /// Runs of `\p{N}`.
  case numbers
  /// Every `\p{N}` by itself.
  case digits
  /// `[0-9][0-9][0-9]`
  case digitTriples
}
