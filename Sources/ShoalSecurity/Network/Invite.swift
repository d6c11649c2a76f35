// An invite: a signed, expiring, use-limited token that lets its holder into a network.
public import ShoalProtocol

/// Why an invite was refused.
public enum InviteError: Error, Hashable, Sendable {
  case text(CheckedTextError)
  case unsupportedVersion(UInt8)
  case malformed(WireError)
  /// The signature is not its issuer's.
  case notAuthentic(PeerID)
  case expired(at: UnixTime, now: UnixTime)
  case usedUp(limit: UInt16)
}

/// Who holds an invite to a private network holds the network's key: pass it on with care. Expiry
/// and use limit hold against those whom members would admit, not against a key once learned.
///
///     u8          version, 1
///     32 B        issuer
///     16 B        serial, random: what its uses are counted by
///     u64         seconds since 1970 at which it expires
///     u16         how often it may be used
///     descriptor  as NetworkDescriptor writes it, key and bootstrap addresses included
///     64 B        the issuer's signature over all before
public struct Invite: Sendable {
  public static let version: UInt8 = 1
  /// A descriptor at its limits takes under 8 KiB.
  static let byteLimit = 8_192
  private static let prefix = "SHOAL"

  public let issuer: PeerID
  public let serial: [UInt8]
  public let expiresAt: UnixTime
  public let useLimit: UInt16
  public let network: NetworkDescriptor
  private let signature: Signature

  public init(
    to network: NetworkDescriptor, by identity: PeerIdentity, expiresAt: UnixTime,
    useLimit: UInt16, using generator: inout some RandomNumberGenerator
  ) {
    (issuer, self.network, self.useLimit) = (identity.id, network, useLimit)
    self.expiresAt = UnixTime(seconds: expiresAt.seconds)
    serial = generator.bytes(16)
    signature = identity.sign(
      Invite.body(identity.id, serial, self.expiresAt, useLimit, network), purpose: .invite)
  }

  /// Whether it may be used now; `uses` is how often its serial has been, as the caller counts.
  public func check(at now: UnixTime, uses: Int) throws(InviteError) {
    guard now < expiresAt else { throw .expired(at: expiresAt, now: now) }
    guard uses < Int(useLimit) else { throw .usedUp(limit: useLimit) }
  }

  public var bytes: [UInt8] {
    Invite.body(issuer, serial, expiresAt, useLimit, network) + signature.bytes
  }

  /// Reads an invite and checks its signature; `check` says whether it is still good.
  public init(_ bytes: [UInt8]) throws(InviteError) {
    var reader = ByteReader(bytes)
    do throws(WireError) {
      let version = try reader.integer(UInt8.self)
      guard version == Invite.version else {
        throw .unknown(field: "version", value: UInt64(version))
      }
      issuer = try reader.id()
      serial = Array(try reader.take(16))
      expiresAt = UnixTime(seconds: try reader.integer())
      useLimit = try reader.integer()
      network = try NetworkDescriptor(from: &reader)
      signature = try Signature(from: &reader)
      try reader.finish()
    } catch {
      if case .unknown("version", let version) = error {
        throw .unsupportedVersion(UInt8(version))
      }
      throw .malformed(error)
    }
    let body = Array(bytes.dropLast(Signature.count))
    guard signature.isValid(for: body, purpose: .invite, by: issuer) else {
      throw .notAuthentic(issuer)
    }
  }

  /// Upper-case letters and digits only: the alphanumeric mode of a QR code (ISO/IEC 18004).
  public var text: String { CheckedText.encode(bytes, prefix: Invite.prefix) }

  public init(text: String) throws(InviteError) {
    let bytes: [UInt8]
    do throws(CheckedTextError) {
      bytes = try CheckedText.decode(text, prefix: Invite.prefix, limit: Invite.byteLimit)
    } catch {
      throw .text(error)
    }
    try self.init(bytes)
  }

  private static func body(
    _ issuer: PeerID, _ serial: [UInt8], _ expiresAt: UnixTime, _ useLimit: UInt16,
    _ network: NetworkDescriptor
  ) -> [UInt8] {
    var writer = ByteWriter()
    writer.integer(version)
    writer.id(issuer)
    writer.raw(serial)
    writer.integer(expiresAt.seconds)
    writer.integer(useLimit)
    network.write(to: &writer)
    return writer.bytes
  }
}
