// How fast this peer is now, beside what it was assessed to be: from the steps that it computes.

/// What steps have in common that take equally long: a model, and a share of it.
public struct StepKind: Hashable, Sendable {
  public let model: ModelID
  public let units: Int
  public let blocks: Int
  public let vocabulary: Int

  public init(model: ModelID, units: Int, blocks: Int, vocabulary: Int) {
    self.model = model
    self.units = units
    self.blocks = blocks
    self.vocabulary = vocabulary
  }
}

/// Says by how much a peer's record should fall short of its assessment: a device that is hot, or
/// whose user is busy, loses share, and gets it back.
///
/// Only changes count, never speed as such. An assessment reads one long product and a step many
/// short ones, and the smaller a share, the more of a step is waking up; a peer measured by that
/// would lose its share to nothing. So steps are compared with the best of their own kind, and a
/// kind that is new begins where the last one was. The record moves when windows over
/// `Limits.throughputCalm` all say so: the hysteresis lies in the record, and plans stay a pure
/// function of records.
public struct ThroughputWatch: Sendable {
  /// In thousandths of what was assessed.
  public static let whole = 1_000
  public private(set) var perMille = whole

  /// Steps of one kind, summed up until they say something.
  private struct Window: Sendable {
    let begun: Moment
    var bytes: UInt64 = 0
    var time = Duration.zero
  }

  /// Of each kind that has begun one: jobs that run at once take turns.
  private var windows: [StepKind: Window] = [:]
  /// Bytes per second of the best window of each kind.
  private var best: [StepKind: UInt64] = [:]
  /// What the latest windows came to, in thousandths, the earliest first.
  private var recent: [(at: Moment, perMille: Int)] = []
  private var lastStep: Moment?
  /// A peer that lost its share is not measured: after a while it is taken at its word again, and
  /// later each time that was wrong.
  private var pardon = Limits.throughputPardon

  public init() {}

  /// When `look` may change something although no step comes; nil: not before one does.
  public var nextDeadline: Moment? {
    guard perMille < Self.whole else { return nil }
    return lastStep.map { $0 + pardon }
  }

  /// A step of one token that read `bytes` of weights and cache took so long to compute.
  ///
  /// - Returns: whether `perMille` has changed.
  public mutating func note(
    _ kind: StepKind, bytes: UInt64, took: Duration, at now: Moment
  ) -> Bool {
    lastStep = now
    guard took > .zero else { return false }
    if windows[kind] == nil, windows.count >= Limits.throughputKinds { windows = [:] }
    // Taken out and put back: to change it in its place would allocate, once for each token.
    var window = windows[kind] ?? Window(begun: now)
    window.bytes += bytes
    window.time += took
    guard now - window.begun >= Limits.throughputWindow else {
      windows.updateValue(window, forKey: kind)
      return false
    }
    windows[kind] = nil
    return close(window, of: kind, at: now)
  }

  /// What may have changed by time alone.
  public mutating func look(at now: Moment) -> Bool {
    guard let deadline = nextDeadline, deadline <= now else { return false }
    perMille = Self.whole
    pardon = min(pardon * 2, Limits.throughputLongestPardon)
    recent = []
    return true
  }

  private mutating func close(_ window: Window, of kind: StepKind, at now: Moment) -> Bool {
    let nanoseconds = UInt64(max(1, window.time.nanoseconds))
    let rate = Saturating.ratio(window.bytes, times: 1_000_000_000, over: nanoseconds).quotient
    guard rate > 0 else { return false }
    if best[kind] == nil, best.count >= Limits.throughputKinds { best = [:] }
    let anchored = Saturating.ratio(
      rate, times: UInt64(Self.whole), over: UInt64(perMille)
    ).quotient
    let top = max(best[kind] ?? anchored, rate)
    best[kind] = top
    let found = Int(Saturating.ratio(rate, times: UInt64(Self.whole), over: top).quotient)
    if perMille == Self.whole, found * 10 >= Self.whole * 9 { pardon = Limits.throughputPardon }
    recent.append((now, found))
    return decide(at: now)
  }

  /// All windows of the last while lie on one side, and far enough away.
  private mutating func decide(at now: Moment) -> Bool {
    recent.removeAll { now - $0.at > Limits.throughputCalm * 3 }
    let falls = recent.reversed().prefix { $0.perMille * 10 < perMille * 8 }
    let rises = recent.reversed().prefix { $0.perMille * 8 > perMille * 9 }
    let side = falls.isEmpty ? rises : falls
    guard side.count >= Limits.throughputWindows, let first = side.last,
      now - first.at >= Limits.throughputCalm
    else {
      recent = Array(recent.suffix(max(side.count, 1)))
      return false
    }
    let sorted = side.map(\.perMille).sorted()
    perMille = min(Self.whole, max(1, sorted[sorted.count / 2]))
    if !rises.isEmpty { pardon = Limits.throughputPardon }
    recent = []
    return true
  }
}

extension Limits {
  /// Steps are summed up for so long: a hiccup is not a window.
  public static let throughputWindow = Duration.seconds(1)
  /// How long windows must say the same before a record changes, and how many there must be.
  public static let throughputCalm = Duration.seconds(10)
  public static let throughputWindows = 5
  /// Without a step for that long a slow peer counts as well again; at most so late.
  public static let throughputPardon = Duration.seconds(30)
  public static let throughputLongestPardon = Duration.seconds(600)
  /// Kinds of steps that are remembered.
  public static let throughputKinds = 64
}

extension ComputeFigures {
  /// The same device at so many thousandths of its speed.
  public func slowed(to perMille: Int) -> ComputeFigures {
    guard perMille < ThroughputWatch.whole else { return self }
    let slow = { (figure: BucketedFigure) -> BucketedFigure in
      let part = Saturating.ratio(figure.value, times: UInt64(max(1, perMille)), over: 1_000)
      return BucketedFigure(part.quotient)
    }
    let rates = matrixVector
    return ComputeFigures(
      cores: cores, kernels: kernels, numerics: numerics,
      matrixVector: WeightThroughput(
        f32: slow(rates.f32), f16: slow(rates.f16), q8: slow(rates.q8), q4: slow(rates.q4)),
      matrixMatrix: slow(matrixMatrix))
  }
}
