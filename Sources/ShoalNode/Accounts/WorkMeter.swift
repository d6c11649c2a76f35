// Counts the work of one share, step by step, into chunks. Both sides of a payment run one over the
// same steps and results, so that they come to the same chunks.

internal import ShoalInference
internal import ShoalLedger
internal import ShoalProtocol
internal import ShoalSecurity

/// A step as it is paid.
enum PaidStep: Sendable {
  case batch(BatchStep)
  case texts(EmbeddingStep)

  var tokens: Int {
    switch self {
    case .batch(let step): step.tokens.count
    case .texts(let step): step.texts.reduce(0) { $0 + $1.count }
    }
  }
}

struct WorkMeter: Sendable {
  /// A chunk ends with the step that fills it.
  static let chunkTokens = 32

  private let units: WorkUnits
  private var steps: StepCount
  private var tokens = 0
  private var input = Bytes32.zero
  private var output = Bytes32.zero

  init(_ units: WorkUnits) {
    self.units = units
    steps = StepCount(units)
  }

  /// - Parameter results: hashes of what the rank answered, in the order of its answer.
  /// - Returns: the chunk that the step has filled.
  mutating func add(_ step: PaidStep, results: some Sequence<Bytes32>) -> WorkChunk? {
    count(step, into: &steps)
    tokens += step.tokens
    input = WorkMeter.fold(input, step)
    var bytes = output.bytes
    for result in results { bytes += result.bytes }
    output = BLAKE2b.hash(bytes)
    return tokens >= WorkMeter.chunkTokens ? close() : nil
  }

  /// What is counted and in no chunk yet; nil: nothing.
  mutating func close() -> WorkChunk? {
    guard tokens > 0 else { return nil }
    defer {
      steps = StepCount(units)
      (tokens, input, output) = (0, .zero, .zero)
    }
    return WorkChunk(
      tokens: UInt64(tokens), workUnits: units.count(steps), input: input, output: output)
  }

  /// What is counted and in no chunk yet, and steps whose answers never came.
  func allowance(_ unanswered: [PaidStep]) -> WorkAllowance {
    var steps = steps
    for step in unanswered { count(step, into: &steps) }
    return WorkAllowance(
      tokens: UInt64(tokens + unanswered.reduce(0) { $0 + $1.tokens }),
      workUnits: units.count(steps))
  }

  private func count(_ step: PaidStep, into steps: inout StepCount) {
    switch step {
    case .batch(let step):
      for span in step.spans {
        steps.add(start: span.position, count: span.count, logits: span.votedRows, units)
      }
    case .texts(let step):
      for text in step.texts { steps.add(text: text.count, units) }
    }
  }

  /// A hash over the tokens of all steps of a chunk, in order.
  private static func fold(_ before: Bytes32, _ step: PaidStep) -> Bytes32 {
    var writer = ByteWriter()
    writer.raw(before.bytes)
    switch step {
    case .batch(let step):
      for span in step.spans {
        writer.integer(UInt16(span.slot))
        writer.integer(UInt32(span.position))
        if let source = span.source { writer.integer(UInt16(source)) }
        writer.integer(UInt32(span.count))
      }
      for token in step.tokens { writer.integer(token) }
    case .texts(let step):
      for text in step.texts {
        writer.integer(UInt32(text.count))
        for token in text.tokens { writer.integer(token) }
      }
    }
    return BLAKE2b.hash(writer.bytes)
  }
}

extension RankShare {
  /// A name for the atoms that a rank with this share holds: a hash over theirs.
  func atomsHash(_ manifest: ModelManifest) -> Bytes32 {
    let wanted = Set(keys(manifest.cut))
    var stream = BLAKE2bStream()
    for entry in manifest.atoms where wanted.contains(entry.key) {
      stream.update(entry.blob.raw.bytes)
    }
    return stream.finish()
  }
}
