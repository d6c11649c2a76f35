// What the logs of the contracts come to: names of models and channels, at the moment. A fold over
// the logs that count, so that a reorganisation needs no undoing of its own.

public import ShoalLedger
public import ShoalProtocol

public struct ChainView: Hashable, Sendable {
  /// Every name, retired ones included, by `ModelEntry.nameID`.
  public private(set) var models: [Bytes32: ModelEntry] = [:]

  public init(_ logs: some Sequence<ChainLog>, of descriptor: ChainDescriptor) {
    for log in logs where log.address == descriptor.modelRegistry {
      if let event = RegistryContract.event(log) { take(event, at: log.block) }
    }
  }

  private mutating func take(_ event: RegistryContract.Event, at block: UInt64) {
    switch event {
    case .registered(let id, let publisher, let model, let revision, let name, let location):
      let entry = ModelEntry(
        publisher: PeerID(publisher.word), name: name, revision: UInt32(clamping: revision),
        model: model, byteCount: 0, isRetired: false, written: block, location: location)
      // The contract computes it; a log that says otherwise is not its own.
      if entry.nameID == id { models[id] = entry }
    case .updated(let id, let publisher, let model, let revision, let location):
      guard let known = models[id], known.publisher == PeerID(publisher.word) else { return }
      models[id] = ModelEntry(
        publisher: known.publisher, name: known.name, revision: UInt32(clamping: revision),
        model: model, byteCount: 0, isRetired: false, written: block, location: location)
    case .retired(let id, let publisher, let revision):
      guard let known = models[id], known.publisher == PeerID(publisher.word) else { return }
      models[id] = ModelEntry(
        publisher: known.publisher, name: known.name, revision: UInt32(clamping: revision),
        model: known.model, byteCount: 0, isRetired: true, written: block,
        location: known.location)
    }
  }

  /// Sorted by publisher and name.
  public var entries: [ModelEntry] {
    models.values.sorted { ($0.publisher, $0.name) < ($1.publisher, $1.name) }
  }
}
