// How families of byte-level vocabularies cut text into words, as data: the regular expressions of
// each, applied one after the other, under the names that GGUF files give them (llama.cpp,
// `llama-vocab.cpp`; where that adapts an expression to what its matcher knows, this is the one of
// the family's own `tokenizer.json`).

/// A family of byte-level vocabularies.
package struct TextFamily: Sendable {
  /// Every match is a word of its own, and so is what lies between two.
  package let expressions: [String]
  var ignoresMerges = false
  var addsBeginning = false
  /// Whether words are in UTF-8, spaces as U+2581, instead of in GPT-2's letters.
  var isSentencePiece = false

  /// By the values of `tokenizer.ggml.pre`.
  package static let named: [String: TextFamily] = {
    var families: [String: TextFamily] = [:]
    for (names, family) in groups {
      for name in names.split(separator: " ") { families[String(name)] = family }
    }
    return families
  }()

  private static let groups: [(String, TextFamily)] = [
    ("default", TextFamily(expressions: [marks, gpt2, #"\p{N}+"#, "[0-9][0-9][0-9]"])),
    (
      "gpt-2 phi-2 mpt olmo jais gigachat a.x-4.0 mellum modern-bert exaone4 trillion "
        + "granite-docling jina-es jina-de jina-v2-es jina-v2-de jina-v1-en jina-v2-code "
        + "roberta-bpe",
      TextFamily(expressions: [gpt2])
    ),
    (
      "llama3 llama-v3 llama-bpe falcon3 falcon-h1 pixtral midm-2.0 lfm2 jina-v5-nano",
      TextFamily(expressions: [gpt4(digits: "{1,3}")], ignoresMerges: true, addsBeginning: true)
    ),
    ("dbrx smaug-bpe chatglm-bpe", TextFamily(expressions: [gpt4(digits: "{1,3}")])),
    ("glm4 glm5", TextFamily(expressions: [gpt4(digits: "{1,3}")], ignoresMerges: true)),
    (
      "qwen2 deepseek-r1-qwen kormo f2llmv2 megrez hunyuan stablelm2 grok-2 solar-open",
      TextFamily(expressions: [gpt4(digits: "")])
    ),
    ("qwen35", TextFamily(expressions: [qwen35])),
    (
      "starcoder refact command-r smollm codeshell exaone minerva-7b mellum2",
      TextFamily(expressions: [#"\p{N}"#, gpt2])
    ),
    ("falcon", TextFamily(expressions: [#"[\p{P}\$\+<=>\^~\|`]+"#, gpt2, "[0-9][0-9][0-9]"])),
    ("tekken", TextFamily(expressions: [tekken], ignoresMerges: true, addsBeginning: true)),
    ("gpt-4o llama4 kanana2 talkie minimax-m2", TextFamily(expressions: [gpt4o])),
    ("tiny_aya cohere2moe", TextFamily(expressions: [#"\d{1,3}(?=(?:\d{3})*\b)"#, gpt4o])),
    ("granite-embed-multi-97m", TextFamily(expressions: [gpt4o], ignoresMerges: true)),
    ("deepseek-llm", TextFamily(expressions: deepSeek)),
    (
      "deepseek-coder",
      TextFamily(expressions: [
        #"[\r\n]"#, #"\s?\p{L}+"#, #"\s?\p{P}+"#, "[一-龥ࠀ-一가-퟿]+", #"\p{N}"#,
      ])
    ),
    (
      "deepseek-v3 hunyuan-dense joyai-llm hy_v4",
      TextFamily(expressions: [#"\p{N}{1,3}"#, "[一-龥぀-ゟ゠-ヿ]+", deepSeek3])
    ),
    ("poro-chat bloom gpt3-finnish", TextFamily(expressions: [bloom])),
    ("viking", TextFamily(expressions: [bloom, #"\p{N}"#])),
    ("bailingmoe bailingmoe2 llada-moe", TextFamily(expressions: [bailing])),
    ("seed-coder", TextFamily(expressions: [seedCoder])),
    ("exaone-moe", TextFamily(expressions: [exaoneMoE])),
    ("jais-2", TextFamily(expressions: [jais2])),
    (
      "minicpm5",
      TextFamily(expressions: [#"\p{N}{1,3}"#, gpt4(digits: "+")], ignoresMerges: true)
    ),
    ("laguna", TextFamily(expressions: [#"[^\n]+|[\n]+"#, gpt4(digits: "")])),
    ("ufakzeka", TextFamily(expressions: [words(digits: "") + spaces])),
    (
      "gemma4 granite-embed-multi-311m sarvam-moe",
      TextFamily(
        expressions: [#"[^\n]+|[\n]+"#], addsBeginning: true, isSentencePiece: true)
    ),
  ]
}

extension TextFamily {
  private static let marks = #"[\p{P}\$\+<=>\^~\|]+"#
  private static let gpt2 = CutStep.gpt2Expression
  private static let contractions = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
  private static let spaces = #"|\s*[\r\n]+|\s+(?!\S)|\s+"#
  private static let signs = #"| ?[^\s\p{L}\p{N}]+[\r\n]*"#

  private static func words(digits: String) -> String {
    #"[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}"# + digits + signs
  }

  /// GPT-4's, with so many digits in a word.
  private static func gpt4(digits: String) -> String {
    contractions + "|" + words(digits: digits) + spaces
  }

  private static let qwen35 =
    contractions + #"|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*"#
    + spaces

  /// A word that begins with capitals, and one that is all capitals.
  private static let capitalized =
    #"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"#
  private static let capitals =
    #"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"#
  private static let signsAndSlash = #"| ?[^\s\p{L}\p{N}]+[\r\n/]*"#

  private static let tekken = capitalized + "|" + capitals + #"|\p{N}"# + signsAndSlash + spaces

  private static let gpt4o =
    capitalized + contractions + "?|" + capitals + contractions + #"?|\p{N}{1,3}"#
    + signsAndSlash + spaces

  private static let deepSeek3 =
    ##"[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+"##
    + #"| ?[\p{P}\p{S}]+[\r\n]*"# + spaces

  private static let bloom = " ?[^(\\s|.,!?…。，、।۔،)]+"

  private static let bailing =
    #"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]++[\r\n]*"#
    + #"|\s*[\r\n]|\s+(?!\S)|\s+"#

  private static let seedCoder =
    contractions + #"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1}| ?[^\s\p{L}\p{N}\r\n]+"# + spaces

  private static let exaoneMoE =
    contractions + #"|[^\r\n\p{L}\p{N}]?(?:\p{L}\p{M}*(?: \p{L}\p{M}*)*)+|\p{N}"#
    + #"| ?[^\s\p{L}\p{N}]+[\r\n/]?|\s*[\r\n]|\s+(?!\S)|\s+"#

  private static let jais2 =
    contractions + "|" + words(digits: "{1,3}") + #"|\s*[\r\n]+"#
    + [512, 256, 128, 64, 32, 16, 8, 4].map { #"|\s{"# + "\($0)" + #"}(?!\S)"# }.joined()
    + #"|\s{1,2}(?!\S)|\s{1}"#

  /// Letters are listed one range at a time in this family's own file.
  private static let deepSeek = [
    #"[\r\n]"#,
    "\\s?[A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-ΊΌΎ-ΡΣ-ϵϷ-ҁҊ-ԯԱ-ՖႠ-ჅᎠ-Ᏽᏸ-ᏽᲐ-ᲺᲽ-Ჿᴀ-ᴫ"
      + "ᵫ-ᵷᵹ-ᶚḀ-ἕἘ-Ἕἠ-ὅὈ-Ὅὐ-ὗὙὛὝὟ-\u{1f7d}ᾀ-ᾴᾶ-ᾼ\u{1fbe}ῂ-ῄῆ-ῌῐ-\u{1fd3}ῖ-\u{1fdb}"
      + "ῠ-Ῥῲ-ῴῶ-ῼℂℇℊ-ℓℕℙ-ℝℤ\u{2126}ℨ\u{212a}-ℭℯ-ℴℹℼ-ℿⅅ-ⅉⅎↃↄⰀ-ⱻⱾ-ⳤⳫ-ⳮⳲⳳꙀ-ꙭꚀ-ꚛꜢ-ꝯꝱ"
      + "-ꞇꞋ-ꞎꭰ-ꮿﬀ-ﬆﬓ-ﬗＡ-Ｚａ-ｚ𐐀-𐑏𐒰-𐓓𐓘-𐓻𐲀-𐲲𐳀-𐳲𑢠-𑣟𞤀-𞥃]+",
    "\\s?[!-/:-~！-／：-～‘-‟\u{3000}-。]+",
    #"\s+$"#,
    "[一-龥ࠀ-一가-퟿]+",
    #"\p{N}+"#,
  ]
}
