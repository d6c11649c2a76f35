// Rotary position embedding (Su et al. 2021): angles in f64, cosines and sines in f32 tables.

/// Which elements of a head form pair i of `pairs`.
public enum RotaryStyle: UInt8, Hashable, Sendable, CaseIterable {
  /// (2i, 2i + 1): the paper's order, and that of Llama weights in GGUF.
  case interleaved
  /// (i, i + pairs): GPT-NeoX and Hugging Face checkpoints.
  case halves
}

/// Cosines and sines of positions `0..<count`, computed in advance.
///
/// A frequency is within a few ulp of f64, an angle is the f64 product of position and frequency,
/// its cosine and sine are within 1e-15 and are then rounded to f32 once.
public struct RotaryTable: Sendable {
  /// Elements of a head that are turned: twice the number of pairs.
  public let rotaryDim: Int
  public let style: RotaryStyle
  /// Radians per position for each pair.
  public let frequencies: [Double]
  /// What cosines and sines are multiplied by, in f64.
  let amplitude: Double
  /// Positions in the table.
  public private(set) var count = 0
  /// (count, 2, pairs): the cosines of a position, then its sines.
  private var rows: [Float] = []

  public var pairs: Int { rotaryDim / 2 }

  /// A table without rows. `rotaryDim` is even and positive; `factors` have one entry per pair.
  /// `context` is the job's limit, which some scalings depend on.
  public init(
    rotaryDim: Int, base: Double, scaling: RotaryScaling = .none, style: RotaryStyle,
    context: Int = 0
  ) {
    precondition(rotaryDim > 0 && rotaryDim % 2 == 0, "rotary dimension \(rotaryDim)")
    self.rotaryDim = rotaryDim
    self.style = style
    amplitude = scaling.amplitude
    frequencies = scaling.frequencies(pairs: rotaryDim / 2, base: base, context: context)
  }

  /// Whether rows of `other` would be the same.
  func hasAngles(of other: RotaryTable) -> Bool {
    rotaryDim == other.rotaryDim && style == other.style && amplitude == other.amplitude
      && frequencies == other.frequencies
  }

  /// Makes rows for positions below `positions`, at most 2^24. Never called between tokens: the
  /// table of a job is grown to its context limit when the job is prepared.
  public mutating func extend(to positions: Int) {
    precondition(positions <= 1 << 24, "\(positions) positions")
    guard positions > count else { return }
    rows.reserveCapacity(positions * rotaryDim)
    let amplitude = amplitude
    for position in count..<positions {
      let turns = frequencies.map { Canon.cosSin(Double(position) * $0) }
      rows.append(contentsOf: turns.lazy.map { Float($0.cos * amplitude) })
      rows.append(contentsOf: turns.lazy.map { Float($0.sin * amplitude) })
    }
    count = positions
  }

  /// The cosines and sines of one position.
  public func row(_ position: Int) -> (cosines: [Float], sines: [Float]) {
    let start = position * rotaryDim
    return (
      Array(rows[start..<start + pairs]), Array(rows[start + pairs..<start + rotaryDim])
    )
  }

  /// Calls `body` with the row of `position`, which must be below `count`.
  @inline(__always)
  func withRow<Result>(_ position: Int, _ body: (UnsafePointer<Float>) -> Result) -> Result {
    precondition(position >= 0 && position < count, "position \(position) of \(count)")
    return unsafe rows.withUnsafeBufferPointer { rows in
      guard let start = rows.baseAddress else { preconditionFailure("a table without rows") }
      return unsafe body(start + position * rotaryDim)
    }
  }
}
