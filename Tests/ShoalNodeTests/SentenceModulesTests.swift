// What the files of sentence-transformers say, and what of it is refused.

import ShoalInference
import ShoalProtocol
import Testing

@Suite struct SentenceModulesTests {
  private static func directory(
    modules: [String], pooling: String = "", sizes: String? = nil
  ) -> MemoryDirectory {
    let entries = modules.enumerated().map { number, kind in
      let type = "sentence_transformers.models.\(kind)"
      return "{\"idx\": \(number), \"path\": \"\(number)_\(kind)\", \"type\": \"\(type)\"}"
    }
    var files = ["modules.json": Array("[\(entries.joined(separator: ","))]".utf8)]
    files["1_Pooling/config.json"] = Array("{\(pooling)}".utf8)
    files["sentence_bert_config.json"] = sizes.map { Array($0.utf8) }
    return MemoryDirectory(files: files)
  }

  @Test(arguments: [
    (#""pooling_mode_mean_tokens": true, "pooling_mode_cls_token": false"#, Pooling.mean),
    (#""pooling_mode_cls_token": true"#, .first), (#""pooling_mode_lasttoken": true"#, .last),
    (#""pooling_mode": "cls""#, .first),
  ])
  func `pooling is what its file says`(_ config: String, _ kind: Pooling) throws {
    let plain = try SentenceModules(
      Self.directory(modules: ["Transformer", "Pooling"], pooling: config))
    #expect(plain == SentenceModules(pooling: PoolingOptions(kind, isNormalised: false)))
    let whole = try SentenceModules(
      Self.directory(
        modules: ["Transformer", "Pooling", "Normalize"], pooling: config,
        sizes: #"{"max_seq_length": 256, "do_lower_case": false}"#))
    #expect(
      whole
        == SentenceModules(pooling: PoolingOptions(kind, isNormalised: true), longestText: 256))
  }

  @Test func `a directory without them says nothing`() throws {
    #expect(try SentenceModules(MemoryDirectory()) == SentenceModules())
  }

  @Test(arguments: [
    (["Transformer", "Pooling"], #""pooling_mode_max_tokens": true"#, "max_tokens"),
    (
      ["Transformer", "Pooling"],
      #""pooling_mode_cls_token": true, "pooling_mode_mean_tokens": true"#, "cls_token"
    ),
    (["Transformer", "Pooling", "Dense"], #""pooling_mode_cls_token": true"#, "Dense"),
    (["Transformer", "Pooling"], #""pooling_mode_cls_token": 3"#, "pooling_mode_cls_token"),
  ])
  func `what is not computed is refused by its name`(
    _ modules: [String], _ pooling: String, _ word: String
  ) {
    let error = #expect(throws: (any Error).self) {
      try SentenceModules(Self.directory(modules: modules, pooling: pooling))
    }
    #expect(error.map { "\($0)" }?.contains(word) == true)
  }
}
