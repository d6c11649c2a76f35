// What a peer says about itself: who it is, where it is reached, what it can hold and compute.
// Plans are computed from these records alone, so every field is an integer, a flag or a name.

/// The facts of one peer, as that peer signs them. Canonical bytes: `CapabilityRecord+Wire.swift`.
public struct CapabilityRecord: Hashable, Sendable {
  public var peer: PeerID
  /// Rises with each record of this peer, restarts included: milliseconds since 1970 when it was
  /// written, or one more than the last, whichever is larger. Below `Incarnation.versionBound`.
  public var version: UInt64
  /// The static X25519 key for a first handshake of the kind that knows its responder.
  public var handshakeKey: Bytes32
  /// Where the peer is reached, preferred first; at most `Limits.endpointsPerPeer`.
  public var endpoints: [Endpoint]

  /// Name of the device profile, at most 64 bytes of UTF-8.
  public var profile: String
  /// How many thousandths of its real speed an emulated device is slowed to; 0: nothing emulated.
  public var emulationFactor: UInt32
  public var services: PeerServices
  /// Peers of one failure domain (a host, a rack, a house) may all be lost at once. <= 64 bytes.
  public var failureDomain: String
  /// Peers that name the same clique reach each other quickly; empty: no peer is known to be far.
  /// <= 32 bytes.
  public var clique: String
  /// What to assume of a link of this peer before it is measured: 10 ms desktop, 50 ms mobile.
  public var latencyPriorMicroseconds: UInt32

  public var memory: MemoryFigures
  public var compute: ComputeFigures
  /// Bytes per second through the network interface, one way.
  public var linkBandwidth: BucketedFigure
  /// What this peer's own link takes one way, where its profile states it; 0: not stated.
  public var linkLatencyMicroseconds: UInt32
  /// What peers of other cliques are away, one way: measured, or as a profile states it; 0: not
  /// known.
  public var outsideLatencyMicroseconds: UInt32
  /// Bytes per second on the way out of the clique, where a profile states it; 0: as the interface.
  public var outsideBandwidth: BucketedFigure
  /// Disk that Shoal may fill.
  public var disk: ByteCount

  /// Sorted by id, no id twice, at most `Limits.modelsPerRecord`.
  public var models: [ModelHolding]
  /// How far this peer's own log of announcements reaches, where it keeps one.
  public var announcementCursor: UInt64?
  /// What it asks for its work; nil: it takes part in no ledger.
  public var payment: PaymentTerms?

  public init(
    peer: PeerID, version: UInt64, handshakeKey: Bytes32, endpoints: [Endpoint],
    profile: String = "", emulationFactor: UInt32 = 0, services: PeerServices = .all,
    failureDomain: String = "", clique: String = "",
    latencyPriorMicroseconds: UInt32 = LatencyPrior.desktopMicroseconds,
    memory: MemoryFigures, compute: ComputeFigures, linkBandwidth: BucketedFigure = 0,
    linkLatencyMicroseconds: UInt32 = 0, outsideLatencyMicroseconds: UInt32 = 0,
    outsideBandwidth: BucketedFigure = 0, disk: ByteCount = .zero, models: [ModelHolding] = [],
    announcementCursor: UInt64? = nil, payment: PaymentTerms? = nil
  ) {
    self.peer = peer
    self.version = version
    self.handshakeKey = handshakeKey
    self.endpoints = endpoints
    self.profile = profile
    self.emulationFactor = emulationFactor
    self.services = services
    self.failureDomain = failureDomain
    self.clique = clique
    self.latencyPriorMicroseconds = latencyPriorMicroseconds
    self.memory = memory
    self.compute = compute
    self.linkBandwidth = linkBandwidth
    self.linkLatencyMicroseconds = linkLatencyMicroseconds
    self.outsideLatencyMicroseconds = outsideLatencyMicroseconds
    self.outsideBandwidth = outsideBandwidth
    self.disk = disk
    self.models = models.sorted { $0.model < $1.model }
    self.announcementCursor = announcementCursor
    self.payment = payment
  }

  /// What this peer says it holds of `model`; nil: nothing.
  public func holding(_ model: ModelID) -> ModelHolding? { models.first { $0.model == model } }
}

/// What a peer is willing to do for others.
public struct PeerServices: OptionSet, Hashable, Sendable {
  public let rawValue: UInt8
  public init(rawValue: UInt8) { self.rawValue = rawValue }
  /// Runs shards of other peers' jobs.
  public static let compute = PeerServices(rawValue: 1)
  /// Stores shards for others.
  public static let storage = PeerServices(rawValue: 2)
  /// Takes requests and drives jobs.
  public static let entry = PeerServices(rawValue: 4)
  /// Carries streams between peers that do not reach each other.
  public static let relay = PeerServices(rawValue: 8)
  public static let all: PeerServices = [.compute, .storage, .entry]
}

/// Latency compensation: what is assumed of links not yet measured.
public enum LatencyPrior {
  public static let desktopMicroseconds: UInt32 = 10_000
  public static let mobileMicroseconds: UInt32 = 50_000
}

public struct MemoryFigures: Hashable, Sendable {
  public var total: ByteCount
  /// The quota that Shoal may use; plans fill at most this.
  public var usable: ByteCount
  public init(total: ByteCount, usable: ByteCount) { (self.total, self.usable) = (total, usable) }
}

/// Measured speed, one model-shaped loop each (all cores together).
public struct ComputeFigures: Hashable, Sendable {
  public var cores: UInt16
  public var kernels: KernelClasses
  /// The numerics that this peer computes in (`canon-1`): only equal ones may share a job. <= 16.
  public var numerics: String
  /// Bytes of weights per second through a matrix-vector product.
  public var matrixVector: WeightThroughput
  /// Operations per second of a matrix-matrix product (a multiplication and an addition are two).
  public var matrixMatrix: BucketedFigure

  public init(
    cores: UInt16, kernels: KernelClasses = [], numerics: String = ComputeFigures.canonical,
    matrixVector: WeightThroughput, matrixMatrix: BucketedFigure = 0
  ) {
    self.cores = cores
    self.kernels = kernels
    self.numerics = numerics
    self.matrixVector = matrixVector
    self.matrixMatrix = matrixMatrix
  }

  public static let canonical = "canon-1"
}

/// Bytes of weights per second, by the format that they are stored in.
public struct WeightThroughput: Hashable, Sendable {
  public var f32: BucketedFigure
  public var f16: BucketedFigure
  public var q8: BucketedFigure
  public var q4: BucketedFigure
  public init(f32: BucketedFigure, f16: BucketedFigure, q8: BucketedFigure, q4: BucketedFigure) {
    (self.f32, self.f16, self.q8, self.q4) = (f32, f16, q8, q4)
  }
}

/// Which kernels a peer runs beside the plain ones. Bits without a name here are kept.
public struct KernelClasses: OptionSet, Hashable, Sendable {
  public let rawValue: UInt32
  public init(rawValue: UInt32) { self.rawValue = rawValue }
  public static let avx2 = KernelClasses(rawValue: 1 << 0)
  public static let avx512 = KernelClasses(rawValue: 1 << 1)
  public static let avx512VNNI = KernelClasses(rawValue: 1 << 2)
  public static let neon = KernelClasses(rawValue: 1 << 8)
  public static let neonDotProduct = KernelClasses(rawValue: 1 << 9)
}

/// That a peer holds a model: all atoms of it, or some.
public struct ModelHolding: Hashable, Sendable {
  public let model: ModelID
  public let isComplete: Bool
  public init(model: ModelID, isComplete: Bool) {
    (self.model, self.isComplete) = (model, isComplete)
  }
}
