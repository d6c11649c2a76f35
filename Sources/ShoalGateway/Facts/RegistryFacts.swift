// The bodies and answers of the registry's routes.

public import ShoalLedger
import ShoalProtocol

/// One name of the registry, of `GET /api/registry`.
public struct RegistryFacts: Codable, Sendable, Hashable {
  public let name: String
  /// The peer that says what the name stands for.
  public let publisher: String
  /// Counts the changes of the name from 1.
  public let revision: UInt32
  /// The hash of the model's manifest, 64 hexadecimal digits.
  public let model: String
  public let bytes: UInt64
  public let isRetired: Bool
  /// Where else it can be had; may be empty.
  public let location: String
  /// Milliseconds since 1970 on the publisher's clock.
  public let written: UInt64

  public init(_ entry: ModelEntry) {
    name = entry.name
    publisher = entry.publisher.raw.hex
    revision = entry.revision
    model = entry.model.raw.hex
    bytes = entry.byteCount
    isRetired = entry.isRetired
    location = entry.location
    written = entry.written
  }
}

/// One line of `GET /api/registry/events`.
public struct RegistryEventFacts: Codable, Sendable, Hashable {
  public enum Stage: String, Codable, Sendable { case seen, undone, final }
  public enum Change: String, Codable, Sendable { case register, update, retire }

  public let stage: Stage
  public let change: Change
  /// Where in its publisher's log.
  public let sequence: UInt64
  public let entry: RegistryFacts

  public init(_ event: RegistryEvent) {
    let news: RegistryNews
    switch event {
    case .seen(let told): (stage, news) = (.seen, told)
    case .undone(let told): (stage, news) = (.undone, told)
    case .final(let told): (stage, news) = (.final, told)
    }
    change =
      switch news.change.kind {
      case .register: .register
      case .update: .update
      case .retire: .retire
      }
    sequence = news.cursor.sequence
    entry = RegistryFacts(news.entry)
  }
}

/// The body of `POST /api/registry/publish`.
public struct PublishRequest: Codable, Sendable, Hashable {
  /// A name, `publisher/name`, or the beginning of a model's id.
  public var model: String
  /// What it is to be called; nil: the name that it has.
  public var name: String?
  public var location: String?

  public init(model: String, name: String?, location: String?) {
    (self.model, self.name, self.location) = (model, name, location)
  }
}

/// The body of `POST /api/registry/retire`.
public struct RetireRequest: Codable, Sendable, Hashable {
  public var name: String
  public init(name: String) { self.name = name }
}
