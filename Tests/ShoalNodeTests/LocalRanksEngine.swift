// Imports a model and generates with it inside this process, in as many words as a test needs.

import Foundation
import ShoalInference
import ShoalNode
import ShoalProtocol
import ShoalSystem
import Synchronization

/// Where third-party data lies, beside the package.
enum ReferenceData {
  static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "../../../shared/data").standardizedFileURL

  static func exists(_ path: String) -> Bool {
    FileManager.default.fileExists(atPath: folder.appending(path: path).path)
  }
  static func bytes(_ path: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: folder.appending(path: path)))
  }
  static func decode<Value: Decodable>(_ path: String, as _: Value.Type) throws -> Value {
    try JSONDecoder().decode(Value.self, from: Data(contentsOf: folder.appending(path: path)))
  }
}

/// How a generation is dealt and computed: what must not change a bit.
struct Dealing: Sendable, CustomStringConvertible {
  var weights = [1]
  /// Weights of the ranks of each pipeline stage, instead.
  var stages: [[Int]]?
  /// Groups and blocks go around like cards, instead of in runs.
  var asCards = false
  var kernel = KernelPath.best
  var threads = 1
  /// Tokens of one step; nil for the whole prompt.
  var batch: Int?

  var description: String {
    let parts = (stages ?? [weights]).map { $0.map(String.init).joined(separator: ":") }
    let split = parts.joined(separator: "/") + (asCards ? " as cards" : "")
    return "\(split) on \(kernel), \(threads) threads, batch \(batch.map(String.init) ?? "whole")"
  }

  func shares(_ cut: AtomCut) -> [RankShare] {
    guard asCards else { return RankShare.split(cut, stages: stages ?? [weights]) }
    let ranks = weights.count
    return (0..<ranks).map { rank in
      let mine = { (count: Int) in (0..<count).filter { $0 % ranks == rank } }
      return RankShare(
        layers: 0..<cut.shape.layers, units: mine(cut.queryUnits),
        blocks: mine(cut.feedForwardBlocks), vocabulary: mine(cut.vocabularyBlocks))
    }
  }
}

/// One model in a store.
struct Engine: Sendable {
  struct Outcome: Sendable {
    let tokens: [UInt32]
    let text: String
    let digest: Bytes32
    let finish: FinishReason
    /// (tokens, vocabulary), where asked for.
    let logits: [[Float]]
  }

  let library: ModelLibrary
  let model: ModelID
  let manifest: ModelManifest
  let tokenizer: Tokenizer

  init(
    _ files: ModelFiles, precision: PrecisionMap = PrecisionMap(),
    in blobs: any BlobStore = MemoryBlobStore()
  ) throws {
    library = ModelLibrary(blobs: blobs)
    model = try library.importModel(files, precision: precision) { _, _ in }
    manifest = try library.manifest(model)
    tokenizer = try library.tokenizer(manifest)
  }

  init(_ bytes: [UInt8], name: String = "test.gguf", in blobs: any BlobStore = MemoryBlobStore())
    throws
  {
    try self.init(.gguf(MemoryByteSource(name: name, bytes: bytes)), in: blobs)
  }

  init(shared path: String) throws { try self.init(ReferenceData.bytes(path), name: path) }

  func ranks(_ dealing: Dealing) -> LocalRanks {
    LocalRanks(
      manifest: manifest, shares: dealing.shares(manifest.cut), threadsPerRank: dealing.threads,
      kernels: Kernels(path: dealing.kernel), clock: SystemClock(), threads: SystemThreads())
  }

  func generate(
    _ prompt: [UInt32], count: Int, sampling: SamplingOptions = .greedy, stop: [String] = [],
    logits: Bool = false, _ dealing: Dealing = Dealing()
  ) async throws -> Outcome {
    var options = GenerationOptions(maximumTokens: count, sampling: sampling, stop: stop)
    options.wantsLogits = logits
    let rows = Rows()
    let chooser = try TokenChooser(
      options: options, tokenizer: tokenizer, prompt: prompt
    ) { token in rows.append(token.logits) }
    let library = library
    let finish = try await ranks(dealing).run(
      GenerationOrder(
        prompt: prompt, maximumTokens: count, context: prompt.count + count,
        batch: dealing.batch ?? prompt.count, slices: logits,
        candidates: min(sampling.candidatesNeeded, Limits.candidates)),
      blob: { try library.atom($0) }, choose: { try chooser.choose($0, $1) })
    return Outcome(
      tokens: chooser.tokens, text: chooser.text, digest: chooser.digest, finish: finish,
      logits: rows.all)
  }
}

/// Rows of logits as they come from the entry's thread.
private final class Rows: Sendable {
  private let rows = Mutex<[[Float]]>([])
  func append(_ row: [Float]) { rows.withLock { $0.append(row) } }
  var all: [[Float]] { rows.withLock { $0 } }
}
