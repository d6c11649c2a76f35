// Bytes with their author's signature: how a record travels through peers that did not write it.

/// Canonical bytes of a `CapabilityRecord`, signed by the peer that it is about.
public struct SignedRecord: Hashable, Sendable {
  public let body: [UInt8]
  public let author: PeerID
  /// Ed25519 over `body`, `signatureBytes` long.
  public let signature: [UInt8]

  public static let signatureBytes = 64

  /// Nil unless the signature has 64 bytes and the body is within `Limits.recordBytes`.
  public init?(body: [UInt8], author: PeerID, signature: [UInt8]) {
    guard signature.count == Self.signatureBytes, body.count <= Limits.recordBytes else {
      return nil
    }
    (self.body, self.author, self.signature) = (body, author, signature)
  }

  /// The record inside, if the bytes are canonical and speak of their author. Says nothing about
  /// the signature.
  public func record() throws(WireError) -> CapabilityRecord {
    let record = try CapabilityRecord(bytes: body)
    guard record.peer == author else { throw .invalid(field: "author") }
    return record
  }
}

/// A record beside the bytes that its author signed. Shared by whoever holds it: a view of a
/// thousand peers is a thousand references, and its hash needs no record to be encoded anew.
public final class HeldRecord: Sendable {
  public let record: CapabilityRecord
  public let signed: SignedRecord

  /// `record` is what `signed` says.
  package init(_ signed: SignedRecord, _ record: CapabilityRecord) {
    (self.signed, self.record) = (signed, record)
  }

  public var peer: PeerID { record.peer }
}

extension SignedRecord {
  /// The version that the bytes state, where they state one; they are not looked at otherwise.
  var statedVersion: UInt64? { CapabilityRecord.statedVersion(body) }
}

/// Whether the signature of a record is its author's. ShoalSecurity has it.
public typealias RecordVerification = @Sendable (SignedRecord) -> Bool

/// The record that the bytes are of; nil where they are impossible or the signature is not its
/// author's. Of peers that live in one process one may read for all.
public typealias RecordReading = @Sendable (SignedRecord) -> HeldRecord?
