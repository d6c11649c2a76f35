// What audits found, in the documents of one data directory: what is known of each peer, and the
// last evidence against each that was caught.

public import ShoalProtocol

public struct AuditStore: Sendable {
  private let documents: any DocumentStore

  public init(documents: any DocumentStore) { self.documents = documents }

  private static let reputation = "reputation"

  public func reputation() throws -> Reputation {
    try documents.read(Self.reputation).map { try Reputation(bytes: $0) } ?? Reputation()
  }

  /// Nil where there is none.
  public func evidence(against peer: PeerID) throws -> Accusation? {
    try documents.read(Self.name(of: peer)).map { try Accusation(bytes: $0) }
  }

  /// The document that holds it.
  public static func name(of suspect: PeerID) -> String { "evidence-audit-\(suspect.raw.hex)" }

  func keep(_ reputation: Reputation) throws {
    try documents.write(Self.reputation, reputation.bytes, isSecret: true)
  }

  func keep(_ accusation: Accusation) throws {
    try documents.write(Self.name(of: accusation.suspect), accusation.bytes, isSecret: false)
  }
}
