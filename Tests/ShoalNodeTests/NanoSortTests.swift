// A trained model that sorts six letters, against activations that its own implementation wrote
// down at every stage (bbycroft/llm-viz), and on every input that there is.

import Foundation
import ShoalInference
import ShoalNode
import ShoalProtocol
import ShoalSecurity
import ShoalSystem
import Testing

@Suite(.enabled(if: ReferenceData.exists("models/gpt-nano-sort"), "the shared data is absent"))
struct NanoSortTests {
  private static let folder = "models/gpt-nano-sort/"

  /// One rank of the model; it has no tokenizer, so no library holds it.
  private static func pass() throws -> ForwardPass {
    let directory = try ModelFolder(path: ReferenceData.folder.appending(path: folder + "hf").path)
    let importer = try ModelImporter(
      ModelDescription(
        header: HuggingFaceHeader(directory), weights: SafetensorsCheckpoint(directory)))
    let blobs = MemoryBlobStore()
    let manifest = try unsafe importer.run(
      tokenizer: [], chatTemplate: "",
      keep: { bytes in
        let blob = BlobID(unsafe BLAKE2b.hash(bytes))
        try unsafe blobs.put(blob, bytes)
        return blob
      }, progress: { _, _ in })
    let library = ModelLibrary(blobs: blobs)
    let model = try RankModel(manifest: manifest, share: .whole(manifest.cut)) {
      try library.atom($0)
    }
    return ForwardPass(
      model: model, kernels: Kernels(), workers: SerialWorkers(), batch: 11)
  }

  /// Tensors as torch printed them: little-endian f32, the batch first.
  private struct Activations: Decodable {
    struct Tensor: Decodable {
      let shape: [Int]
      let data: Data

      /// Rows of one sequence of the batch; of heads, side by side: (heads, tokens, width) becomes
      /// (tokens, heads * width).
      func rows(_ sequence: Int) -> [[Float]] {
        let values = stride(from: 0, to: data.count, by: 4).map { at in
          Float(bitPattern: (0..<4).reduce(0) { $0 | UInt32(data[at + $1]) << (8 * $1) })
        }
        let heads = shape.count == 4 ? shape[1] : 1
        let (tokens, width) = (shape[shape.count - 2], shape[shape.count - 1])
        return (0..<tokens).map { token in
          (0..<heads).flatMap { head in
            let start = ((sequence * heads + head) * tokens + token) * width
            return values[start..<start + width]
          }
        }
      }
    }
    let idx: Tensor
    let x: Tensor
    let ln1: Tensor
    let q: Tensor
    let k: Tensor
    let v: Tensor
    let y: Tensor
    let attnResid: Tensor
    let ln2: Tensor
    let fc: Tensor
    let gelu: Tensor
    let block0: Tensor
    let block1: Tensor
    let block2: Tensor
    let ln_f: Tensor
    let lm_head: Tensor
  }

  @Test func `every stage is that of the model's own implementation`() throws {
    let expected = try ReferenceData.decode(
      Self.folder + "gpt-nano-sort-t0-partials.json", as: Activations.self)
    let indices = stride(from: 0, to: expected.idx.data.count, by: 4).map { at in
      Float(
        bitPattern: (0..<4).reduce(0) { $0 | UInt32(expected.idx.data[at + $1]) << (8 * $1) })
    }
    let pass = try Self.pass()
    let cache = pass.makeSequence(context: 11)
    for sequence in 0..<3 {
      let tokens = indices[sequence * 11..<(sequence + 1) * 11].map { UInt32($0) }
      pass.begin(tokens: tokens, at: 0, of: cache, logits: .all)
      let check = { (stage: ForwardPass.Inspected, tensor: Activations.Tensor) in
        expectClose(pass.rows(stage), tensor.rows(sequence), "\(stage) of \(sequence)")
      }
      #expect(try pass.advance() == .sum(index: 0))
      #expect(try pass.advance() == .sum(index: 1))
      check(.residual, expected.x)
      check(.branchInput, expected.ln1)
      check(.queries, expected.q)
      check(.keys, expected.k)
      check(.values, expected.v)
      check(.attended, expected.y)
      #expect(try pass.advance() == .sum(index: 2))
      check(.residual, expected.attnResid)
      check(.branchInput, expected.ln2)
      check(.expanded, expected.fc)
      check(.activated, expected.gelu)
      for block in [expected.block0, expected.block1] {
        _ = try pass.advance()
        check(.residual, block)
        _ = try pass.advance()
      }
      #expect(try pass.advance() == .finished)
      check(.residual, expected.block2)
      check(.branchInput, expected.ln_f)
      expectClose(
        (0..<11).map { unsafe Array(pass.logits(row: $0, block: 0)) },
        expected.lm_head.rows(sequence), "logits of \(sequence)")
    }
  }

  /// Shared sums are rounded to units of 2^-18, one rounding for each head and block of 32 columns:
  /// after three layers 1.7e-4 is found, of logits of 8.
  private func expectClose(_ found: [[Float]], _ expected: [[Float]], _ what: String) {
    let largest = expected.joined().map(\.magnitude).max() ?? 0
    let distance = zip(found.joined(), expected.joined()).map { ($0 - $1).magnitude }.max() ?? 0
    #expect(found.map(\.count) == expected.map(\.count), "\(what)")
    #expect(distance < 5e-5 * max(1, largest), "\(what): \(distance)")
  }

  @Test func `all 729 inputs are continued as the model's own implementation does`() throws {
    struct Expected: Decodable {
      struct Case: Decodable {
        let prompt_ids: [UInt32]
        let greedy: [UInt32]
      }
      let cases: [Case]
    }
    let cases = try ReferenceData.decode(Self.folder + "expected.json", as: Expected.self).cases
    #expect(cases.count == 729)
    let pass = try Self.pass()
    let cache = pass.makeSequence(context: 11)
    for each in cases {
      var tokens = each.prompt_ids
      var step = tokens
      while tokens.count < each.prompt_ids.count + each.greedy.count {
        pass.begin(
          tokens: step, at: tokens.count - step.count, of: cache, logits: .last)
        while case .sum = try pass.advance() {}
        let logits = unsafe Array(pass.logits(row: 0, block: 0))
        let best = logits.indices.max { (logits[$0], $1) < (logits[$1], $0) } ?? 0
        step = [UInt32(best)]
        tokens += step
      }
      #expect(Array(tokens.dropFirst(each.prompt_ids.count)) == each.greedy, "\(each.prompt_ids)")
    }
  }
}
