// A capability record, as signed by its peer, in the planner's terms.

extension DeviceCapacity {
  /// `synchronisationNanoseconds` is what one sum costs in waiting beside the peer's own link: no
  /// record states it, so it is an input of the plan like the records themselves.
  public init(
    _ record: CapabilityRecord, synchronisationNanoseconds: UInt64 = lanSynchronisation
  ) {
    let rates = record.compute.matrixVector
    let stated = record.linkBandwidth.value
    let link = stated == 0 ? DeviceCapacity.lanBytesPerSecond : stated
    let outside = record.outsideBandwidth.value
    self.init(
      peer: record.peer, usableMemory: record.memory.usable,
      decodeBytesPerSecond: PrecisionRates(
        f32: rates.f32.value, f16: rates.f16.value, q8_0: rates.q8.value, q4_0: rates.q4.value),
      prefillOperationsPerSecond: record.compute.matrixMatrix.value,
      linkBytesPerSecond: link,
      synchronisationNanoseconds: Saturating.sum(
        synchronisationNanoseconds, UInt64(record.linkLatencyMicroseconds) * 1_000),
      latencyPriorMicroseconds: UInt64(record.latencyPriorMicroseconds),
      clique: DeviceCapacity.number(record.clique),
      outsideNanoseconds: DeviceCapacity.outside(record),
      outsideBytesPerSecond: outside == 0 ? link : outside,
      numerics: record.compute.numerics, isWilling: record.services.contains(.compute),
      failureDomain: DeviceCapacity.domain(record),
      storage: record.services.contains(.storage) ? record.disk : .zero)
  }

  /// A number for the domain's name. A peer that names none is a domain of its own.
  private static func domain(_ record: CapabilityRecord) -> UInt64 {
    guard !record.failureDomain.isEmpty else { return RendezvousScore.seed(record.peer) }
    return number(record.failureDomain)
  }

  /// 0 for no name.
  private static func number(_ name: String) -> UInt64 {
    name.utf8.reduce(0) { RendezvousScore.mixed($0 ^ UInt64($1)) }
  }

  /// As it is stated, or the prior, stretched like everything else of an emulated device.
  private static func outside(_ record: CapabilityRecord) -> UInt64 {
    guard record.outsideLatencyMicroseconds == 0 else {
      return UInt64(record.outsideLatencyMicroseconds) * 1_000
    }
    let perMille = UInt64(record.emulationFactor == 0 ? 1_000 : record.emulationFactor)
    return UInt64(record.latencyPriorMicroseconds) * 1_000_000 / perMille
  }
}

extension PlacementPlanner {
  /// The plan for `request` over the peers of a view.
  public func plan(
    _ request: PlanRequest, over view: MeshView,
    synchronisationNanoseconds: UInt64 = DeviceCapacity.lanSynchronisation
  ) throws(PlanError) -> PlanReport {
    try plan(
      request,
      over: view.records.map {
        DeviceCapacity($0, synchronisationNanoseconds: synchronisationNanoseconds)
      })
  }
}
