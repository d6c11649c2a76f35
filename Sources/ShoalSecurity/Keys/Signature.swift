// Ed25519 signatures (RFC 8032), each bound to one purpose.
import CSodium
public import ShoalProtocol

/// What a signature is for. A signature made for one purpose is invalid for every other.
public struct SigningPurpose: Hashable, Sendable {
  public let name: String
  /// `name` has at most 255 bytes of UTF-8; it is a constant of the program.
  public init(_ name: String) {
    precondition(name.utf8.count <= 255, "purpose of \(name.utf8.count) bytes")
    self.name = name
  }

  /// An X25519 static key that belongs to the signer.
  public static let staticKey = SigningPurpose("shoal/1 static key")
  /// An invite to a network.
  public static let invite = SigningPurpose("shoal/1 invite")

  /// What is signed: the name's length in one byte, the name, the message.
  func message(_ bytes: [UInt8]) -> [UInt8] {
    [UInt8(name.utf8.count)] + Array(name.utf8) + bytes
  }
}

/// 64 bytes: R and S of RFC 8032, section 5.1.6.
public struct Signature: Hashable, Sendable {
  public static let count = 64
  public let bytes: [UInt8]

  /// Nil unless there are 64 bytes.
  public init?(_ bytes: some Collection<UInt8>) {
    guard bytes.count == Signature.count else { return nil }
    self.bytes = Array(bytes)
  }

  public init(from reader: inout ByteReader) throws(WireError) {
    bytes = Array(try reader.take(Signature.count))
  }

  public func write(to writer: inout ByteWriter) { writer.raw(bytes) }

  /// False for a wrong signature and for a `peer` that is no point of the curve or of small order.
  public func isValid(for message: [UInt8], purpose: SigningPurpose, by peer: PeerID) -> Bool {
    Sodium.start()
    let signed = purpose.message(message)
    return unsafe crypto_sign_ed25519_verify_detached(
      bytes, signed, UInt64(signed.count), peer.raw.bytes) == 0
  }
}
