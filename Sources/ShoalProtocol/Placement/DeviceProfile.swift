// A device as a profile describes it (Peers/README.md): what a peer started with that profile keeps
// to, and what the planner and the simulator take it for.

/// The figures of one kind of device. Integers only; units are in the names.
public struct DeviceProfile: Hashable, Sendable {
  /// Such as `raspberry-pi-5`: the file's name without its extension.
  public var id: String
  /// Such as `phone`, `laptop`, `desktop GPU`; for people.
  public var deviceClass: String
  public var memory: ByteCount
  /// What Shoal may use of it.
  public var usableMemory: ByteCount
  /// Bytes of weights per second in decoding.
  public var decodeBytesPerSecond: PrecisionRates
  /// Operations per second in prefill; a multiplication and an addition are two.
  public var prefillOperationsPerSecond: UInt64
  public var link: LinkProfile
  /// Disk that Shoal may fill.
  public var disk: ByteCount
  /// Nil where a load does not slow the device.
  public var thermal: ThermalProfile?
  /// Nil for a device on mains.
  public var battery: BatteryProfile?
  /// Thousandths of the device's real speed that these figures are slowed to by
  /// `slowed(toPerMille:)`; 1,000: not slowed.
  public private(set) var emulationPerMille: UInt32 = 1_000

  public init(
    id: String, deviceClass: String, memory: ByteCount, usableMemory: ByteCount,
    decodeBytesPerSecond: PrecisionRates, prefillOperationsPerSecond: UInt64, link: LinkProfile,
    disk: ByteCount, thermal: ThermalProfile? = nil, battery: BatteryProfile? = nil
  ) {
    self.id = id
    self.deviceClass = deviceClass
    self.memory = memory
    self.usableMemory = usableMemory
    self.decodeBytesPerSecond = decodeBytesPerSecond
    self.prefillOperationsPerSecond = prefillOperationsPerSecond
    self.link = link
    self.disk = disk
    self.thermal = thermal
    self.battery = battery
  }
}

public enum LinkKind: String, CaseIterable, Hashable, Sendable {
  case ethernet
  case wifi
  case cellular
}

public struct LinkProfile: Hashable, Sendable {
  public var kind: LinkKind
  /// One way.
  public var bytesPerSecond: UInt64
  /// One way, from the device to a peer of the same LAN.
  public var latencyMicroseconds: UInt64
  /// The latency compensation until a link is measured: 10 ms desktop, 50 ms mobile.
  public var latencyPriorMicroseconds: UInt32
  /// The way out of the device's clique; nil: nothing is known of it.
  public var outside: OutsideLink?

  public init(
    kind: LinkKind, bytesPerSecond: UInt64, latencyMicroseconds: UInt64,
    latencyPriorMicroseconds: UInt32, outside: OutsideLink? = nil
  ) {
    self.outside = outside
    self.kind = kind
    self.bytesPerSecond = bytesPerSecond
    self.latencyMicroseconds = latencyMicroseconds
    self.latencyPriorMicroseconds = latencyPriorMicroseconds
  }
}

/// Where a device stands, and how it reaches peers that stand elsewhere: a house and its line.
public struct OutsideLink: Hashable, Sendable {
  /// Peers of the same name are near; at most 32 bytes.
  public var clique: String
  /// One way, to a peer of another clique.
  public var latencyMicroseconds: UInt64
  /// One way.
  public var bytesPerSecond: UInt64

  public init(clique: String, latencyMicroseconds: UInt64, bytesPerSecond: UInt64) {
    self.clique = clique
    self.latencyMicroseconds = latencyMicroseconds
    self.bytesPerSecond = bytesPerSecond
  }
}

/// A device that slows down under load.
public struct ThermalProfile: Hashable, Sendable {
  public var afterSeconds: UInt32
  /// Thousandths of the full speed that are left then.
  public var factorPerMille: UInt32

  public init(afterSeconds: UInt32, factorPerMille: UInt32) {
    self.afterSeconds = afterSeconds
    self.factorPerMille = factorPerMille
  }
}

public struct BatteryProfile: Hashable, Sendable {
  public var milliwattHours: UInt32
  public var idleMilliwatts: UInt32
  public var busyMilliwatts: UInt32

  public init(milliwattHours: UInt32, idleMilliwatts: UInt32, busyMilliwatts: UInt32) {
    self.milliwattHours = milliwattHours
    self.idleMilliwatts = idleMilliwatts
    self.busyMilliwatts = busyMilliwatts
  }
}

extension DeviceProfile {
  /// The same device with every rate, of compute and of link, slowed to `perMille` thousandths, and
  /// its latency stretched alike: where a device is faster than its host, a whole testnet is slowed
  /// by one factor and the ratios of its devices stay. Memory and disk stay. 1...1,000.
  public func slowed(toPerMille perMille: UInt32) -> DeviceProfile {
    precondition((1...1_000).contains(perMille), "slowed to \(perMille) thousandths")
    let factor = UInt64(perMille)
    let slow = { (rate: UInt64) in Saturating.ratio(rate, times: factor, over: 1_000).quotient }
    var copy = self
    for precision in AtomPrecision.allCases {
      copy.decodeBytesPerSecond[precision] = slow(decodeBytesPerSecond[precision])
    }
    copy.prefillOperationsPerSecond = slow(prefillOperationsPerSecond)
    copy.link.bytesPerSecond = slow(link.bytesPerSecond)
    copy.link.latencyMicroseconds =
      Saturating.ratio(link.latencyMicroseconds, times: 1_000, over: factor).quotient
    if var outside = link.outside {
      outside.bytesPerSecond = slow(outside.bytesPerSecond)
      outside.latencyMicroseconds =
        Saturating.ratio(outside.latencyMicroseconds, times: 1_000, over: factor).quotient
      copy.link.outside = outside
    }
    copy.emulationPerMille = UInt32(
      clamping: Saturating.ratio(UInt64(emulationPerMille), times: factor, over: 1_000).quotient)
    return copy
  }

  /// The largest factor, in thousandths, at which a host of these rates can play the device; 1,000
  /// where the host is as fast. Only precisions that both know count.
  public func factor(playedBy host: PrecisionRates) -> UInt32 {
    let factors = AtomPrecision.allCases.compactMap { precision -> UInt64? in
      let (own, theirs) = (decodeBytesPerSecond[precision], host[precision])
      guard own > 0, theirs > 0 else { return nil }
      return Saturating.ratio(theirs, times: 1_000, over: own).quotient
    }
    return UInt32(clamping: max(1, min(1_000, factors.min() ?? 1_000)))
  }

  /// The device in the planner's terms. A sum waits for the link beside the work of both ends.
  public func capacity(
    peer: PeerID, numerics: String, failureDomain: UInt64? = nil
  ) -> DeviceCapacity {
    DeviceCapacity(
      peer: peer, usableMemory: usableMemory, decodeBytesPerSecond: decodeBytesPerSecond,
      prefillOperationsPerSecond: prefillOperationsPerSecond,
      linkBytesPerSecond: link.bytesPerSecond,
      synchronisationNanoseconds: Saturating.sum(
        DeviceCapacity.lanSynchronisation, Saturating.product(link.latencyMicroseconds, 1_000)),
      latencyPriorMicroseconds: UInt64(link.latencyPriorMicroseconds), numerics: numerics,
      failureDomain: failureDomain ?? RendezvousScore.seed(peer), storage: disk)
  }
}
