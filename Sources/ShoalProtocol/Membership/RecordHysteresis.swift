// Decides when a peer's new measurements are worth a new record: when they stay for ten seconds.

/// A record is published again only for a reason. What its owner states (addresses, services,
/// models) counts at once; what is measured counts when its bucket differs from the published one
/// for `patience` without a break. So plans are a pure function of records and still do not flap.
public struct RecordHysteresis: Sendable {
  public let patience: Duration
  /// The facts as last published. The version in it is the owner's matter.
  public private(set) var published: CapabilityRecord
  private var differsSince: Moment?

  public init(published: CapabilityRecord, patience: Duration = .seconds(10)) {
    (self.published, self.patience) = (published, patience)
  }

  /// When the present measurements will count if they stay; nil: they are the published ones.
  public var nextDeadline: Moment? { differsSince.map { $0 + patience } }

  /// Takes the newest facts; answers with the record to sign and publish, if one is due.
  public mutating func handle(
    _ candidate: CapabilityRecord, at now: Moment
  ) -> CapabilityRecord? {
    guard candidate.hasOtherFigures(than: published) else {
      differsSince = nil
      return publish(candidate.withFigures(of: published))
    }
    let since = differsSince ?? now
    guard now - since < patience else {
      differsSince = nil
      return publish(candidate)
    }
    differsSince = since
    return publish(candidate.withFigures(of: published))
  }

  private mutating func publish(_ record: CapabilityRecord) -> CapabilityRecord? {
    var same = published
    same.version = record.version
    guard record != same else { return nil }
    published = record
    return record
  }
}

extension CapabilityRecord {
  /// Whether a measured figure is in another bucket.
  func hasOtherFigures(than other: CapabilityRecord) -> Bool {
    let mine = [memory.total, memory.usable, disk].map { BucketedFigure($0.bytes) }
    let theirs = [other.memory.total, other.memory.usable, other.disk]
      .map { BucketedFigure($0.bytes) }
    return mine != theirs || compute.matrixVector != other.compute.matrixVector
      || compute.matrixMatrix != other.compute.matrixMatrix
      || linkBandwidth != other.linkBandwidth
  }

  /// These facts with the measured figures of `other`.
  func withFigures(of other: CapabilityRecord) -> CapabilityRecord {
    var record = self
    record.memory = other.memory
    record.disk = other.disk
    record.compute.matrixVector = other.compute.matrixVector
    record.compute.matrixMatrix = other.compute.matrixMatrix
    record.linkBandwidth = other.linkBandwidth
    return record
  }
}
