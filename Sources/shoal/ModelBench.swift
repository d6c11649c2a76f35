// One rank that holds a whole model, driven step by step without links.

import Foundation
import ShoalInference
import ShoalNode
import ShoalPeer
import ShoalProtocol
import ShoalSystem

struct ModelBenchOrder {
  let threads: Int
  let kernel: KernelPath
  let batch: Int
  let repetitions: Int
  /// Positions of the longest test.
  let longest: Int
}

/// One line of the table; rates are medians.
struct ModelBenchResult: Encodable {
  /// pp512, tg64, tg64@d4096.
  let name: String
  let tokens: Int
  let depth: Int
  let tokensPerSecond: Double
  let least: Double
  let most: Double
  /// Weights, keys and values that were read.
  let bytesPerSecond: UInt64
  /// A multiplication and an addition are two.
  let operationsPerSecond: UInt64
}

/// What some steps read and computed.
private struct ModelBenchWork {
  var bytes: UInt64 = 0
  var multiplyAccumulates: UInt64 = 0
}

/// A loaded model and what one pass needs. Times are those of the thread that calls.
final class ModelBench {
  let modelBytes: UInt64
  let loadSeconds: Double
  private let order: ModelBenchOrder
  private let pass: ForwardPass
  private let sequence: SequenceCache
  private let workers: WorkerPool
  private let vocabulary: UInt32
  /// Positions that hold keys and values of the tokens below.
  private var filled = 0

  init(_ store: LocalStore, _ model: ModelID, order: ModelBenchOrder, dropsCache: Bool) throws {
    self.order = order
    let library = store.library
    let manifest = try library.manifest(model)
    if dropsCache { for atom in manifest.atoms { try store.blobs.dropFromCache(atom.blob) } }
    let start = SystemClock().now()
    let workers = try WorkerPool(count: order.threads, name: "shoal-bench")
    self.workers = workers
    let rank = try RankModel(
      manifest: manifest, share: .whole(manifest.cut), workers: workers,
      blob: { try library.atom($0) })
    loadSeconds = (SystemClock().now() - start).inSeconds
    modelBytes = manifest.byteCount
    vocabulary = UInt32(manifest.shape.vocabulary)
    pass = ForwardPass(
      model: rank, kernels: Kernels(path: order.kernel), workers: workers,
      batch: min(order.batch, order.longest))
    sequence = pass.makeSequence(context: order.longest)
  }

  /// `count` tokens at once, the last one's logits wanted.
  func prompt(_ count: Int, depth: Int) throws -> ModelBenchResult {
    try measure("pp\(count)", count, depth) {
      try self.feed(depth..<depth + count, at: self.order.batch)
    }
  }

  /// `count` tokens one by one, each one's logits wanted.
  func generate(_ count: Int, depth: Int) throws -> ModelBenchResult {
    try measure("tg\(count)", count, depth) { try self.feed(depth..<depth + count, at: 1) }
  }

  private func measure(
    _ name: String, _ count: Int, _ depth: Int, _ body: () throws -> ModelBenchWork
  ) throws -> ModelBenchResult {
    if filled < depth { _ = try feed(filled..<depth, at: order.batch) }
    var seconds: [Double] = []
    var work = ModelBenchWork()
    // The first pays for sleeping threads and pages that were never touched.
    for repetition in 0...order.repetitions {
      let start = SystemClock().now()
      work = try body()
      if repetition > 0 { seconds.append((SystemClock().now() - start).inSeconds) }
    }
    seconds.sort()
    let median = seconds[seconds.count / 2]
    return ModelBenchResult(
      name: depth == 0 ? name : "\(name)@d\(depth)", tokens: count, depth: depth,
      tokensPerSecond: Double(count) / median, least: Double(count) / seconds[seconds.count - 1],
      most: Double(count) / seconds[0], bytesPerSecond: UInt64(Double(work.bytes) / median),
      operationsPerSecond: UInt64(2 * Double(work.multiplyAccumulates) / median))
  }

  /// Runs the tokens of `positions` in steps of `batch`; what follows them is forgotten.
  private func feed(_ positions: Range<Int>, at batch: Int) throws -> ModelBenchWork {
    var total = ModelBenchWork()
    var position = positions.lowerBound
    while position < positions.upperBound {
      let end = min(position + batch, positions.upperBound)
      let wantsLogits = batch == 1 || end == positions.upperBound
      pass.begin(
        tokens: (position..<end).map(token), at: position, of: sequence,
        logits: wantsLogits ? .last : .none)
      // The only rank: its partial is the total.
      while case .sum = try pass.advance() { add(pass.work, to: &total) }
      add(pass.work, to: &total)
      position = end
    }
    filled = positions.upperBound
    return total
  }

  private func add(_ work: ForwardPass.Work, to total: inout ModelBenchWork) {
    total.bytes += work.bytes
    total.multiplyAccumulates += work.multiplyAccumulates
  }

  /// Any tokens serve: time does not depend on them.
  private func token(_ position: Int) -> UInt32 {
    UInt32(truncatingIfNeeded: (position &* 7_919 &+ 13) % Int(vocabulary))
  }
}
