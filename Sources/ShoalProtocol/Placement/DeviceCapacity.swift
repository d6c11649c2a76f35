// What the planner is told about one peer. A capability record, or a profile, maps to it.

/// A measured rate for each precision; zero where the peer cannot use it.
public struct PrecisionRates: Hashable, Sendable {
  public var f32: UInt64
  public var f16: UInt64
  public var q8_0: UInt64
  public var q4_0: UInt64

  public init(f32: UInt64 = 0, f16: UInt64 = 0, q8_0: UInt64 = 0, q4_0: UInt64 = 0) {
    (self.f32, self.f16, self.q8_0, self.q4_0) = (f32, f16, q8_0, q4_0)
  }

  public subscript(precision: AtomPrecision) -> UInt64 {
    get {
      switch precision {
      case .f32: f32
      case .f16: f16
      case .q8_0: q8_0
      case .q4_0: q4_0
      }
    }
    set {
      switch precision {
      case .f32: f32 = newValue
      case .f16: f16 = newValue
      case .q8_0: q8_0 = newValue
      case .q4_0: q4_0 = newValue
      }
    }
  }
}

/// One peer as the planner sees it. Every figure is what the peer delivers now: an emulated peer
/// states its emulated figures.
public struct DeviceCapacity: Hashable, Sendable {
  public var peer: PeerID
  /// Memory that the peer offers; a plan fills at most 80 % of it.
  public var usableMemory: ByteCount
  /// Bytes of weights per second in a matrix-vector product, as in decoding.
  public var decodeBytesPerSecond: PrecisionRates
  /// Operations per second (a multiplication and an addition are two) in a matrix-matrix product,
  /// as in prefill.
  public var prefillOperationsPerSecond: UInt64
  /// What its link carries one way.
  public var linkBytesPerSecond: UInt64
  /// What one sum costs in waiting, beside the bytes: measured, or `lanSynchronisation`.
  public var synchronisationNanoseconds: UInt64
  /// The prior for an unmeasured link (10 ms desktop, 50 ms mobile): slack of a step's deadline,
  /// and what a link to another clique is taken for before it is measured. It enters no other
  /// estimate.
  public var latencyPriorMicroseconds: UInt64
  /// Peers of one clique reach each other quickly; 0: those of whom nothing else is known.
  public var clique: UInt64
  /// What a link to a peer of another clique takes one way beside the work of both ends: measured,
  /// or the prior.
  public var outsideNanoseconds: UInt64
  /// What its way out of the clique carries.
  public var outsideBytesPerSecond: UInt64
  public var numerics: String
  public var isWilling: Bool
  /// Peers of one domain fail together: one host, one household, one power strip.
  public var failureDomain: UInt64
  /// Space for stored atoms.
  public var storage: ByteCount

  /// Waiting per sum on a wired LAN where nothing was measured: one round of small frames between
  /// blocking peers (docs/PLACEMENT.md has the measurements).
  public static let lanSynchronisation: UInt64 = 60_000
  /// What gigabit Ethernet carries as TCP payload: the prior for a link that was never measured.
  public static let lanBytesPerSecond: UInt64 = 117_000_000

  public init(
    peer: PeerID, usableMemory: ByteCount, decodeBytesPerSecond: PrecisionRates,
    prefillOperationsPerSecond: UInt64 = 0, linkBytesPerSecond: UInt64,
    synchronisationNanoseconds: UInt64 = lanSynchronisation,
    latencyPriorMicroseconds: UInt64 = 10_000, clique: UInt64 = 0,
    outsideNanoseconds: UInt64? = nil, outsideBytesPerSecond: UInt64? = nil, numerics: String,
    isWilling: Bool = true, failureDomain: UInt64 = 0, storage: ByteCount = .zero
  ) {
    self.peer = peer
    self.usableMemory = usableMemory
    self.decodeBytesPerSecond = decodeBytesPerSecond
    self.prefillOperationsPerSecond = prefillOperationsPerSecond
    self.linkBytesPerSecond = linkBytesPerSecond
    self.synchronisationNanoseconds = synchronisationNanoseconds
    self.latencyPriorMicroseconds = latencyPriorMicroseconds
    self.clique = clique
    self.outsideNanoseconds =
      outsideNanoseconds ?? Saturating.product(latencyPriorMicroseconds, 1_000)
    self.outsideBytesPerSecond = outsideBytesPerSecond ?? linkBytesPerSecond
    self.numerics = numerics
    self.isWilling = isWilling
    self.failureDomain = failureDomain
    self.storage = storage
  }
}
