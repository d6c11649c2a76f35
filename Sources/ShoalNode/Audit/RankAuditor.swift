// The audit of one sum in the middle of a step, on the rank's thread: every rank of a stage has the
// same residual before a feed-forward and hears every other's part of the sum after it.

package import ShoalInference
internal import ShoalProtocol

package final class RankAuditor {
  private let bench: AuditBench
  private let kernels: Kernels
  private let workers: any Workers
  private let kept = KeptPartial()
  private var due: (target: AuditTarget, model: RankModel)?
  private var sequence: UInt32 = 0
  /// Whether the step at hand was audited.
  private(set) var isBusy = false

  package init(_ bench: AuditBench, kernels: Kernels, workers: any Workers) {
    self.bench = bench
    self.kernels = kernels
    self.workers = workers
  }

  func beginStep(_ sequence: UInt32) {
    self.sequence = sequence
    isBusy = false
    // One that was due and never came was of a step that failed.
    if due == nil { due = bench.due() }
  }

  /// What takes in the part that is audited, where sum `index` is the one.
  func awaited(_ index: Int) -> KeptPartial? {
    guard let target = due?.target, index == 2 + 2 * target.layer else { return nil }
    kept.rank = target.rank
    return kept
  }

  /// - Parameter rows: (tokens, hidden), the residual that the feed-forward read.
  func check(
    _ kept: KeptPartial, _ rows: UnsafeBufferPointer<Float>
  ) throws(JobFailure) {
    guard let (target, model) = due else { return }
    due = nil
    isBusy = true
    let audit = FeedForwardAudit(model, kernels: kernels, workers: workers)
    let difference: (row: Int, sums: [Int64])?
    do {
      difference = try unsafe kept.sums.withUnsafeBufferPointer { claimed throws(InferenceError) in
        try unsafe audit.firstDifference(rows, claimed)
      }
    } catch {
      // Numbers that leave their range here do so at the rank that is audited: it will say so.
      return bench.skipped()
    }
    guard let row = difference?.row else { return bench.passed(target) }
    let width = model.manifest.shape.hidden
    let range = row * width..<(row + 1) * width
    let failure = bench.found(
      target, sequence: sequence, input: unsafe Array(rows[range]),
      claimed: Array(kept.sums[range]))
    if let failure { throw failure }
  }
}
