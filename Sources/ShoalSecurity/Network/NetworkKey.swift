// What the members of a network share: one secret, and the keys for each purpose made from it.
public import ShoalProtocol

/// The key that every datagram and handshake of a network proves knowledge of.
public struct NetworkKey: Sendable {
  public static let count = 32
  /// The 32 bytes of a private network, as a descriptor or an invite carries them.
  public let secret: SecretBytes

  /// Mixed into every handshake as its pre-shared key.
  let handshake: SecretBytes
  /// Marks handshake packets as a member's, so that strangers are met with silence.
  let mark: SecretBytes
  /// Seals cookie replies.
  let cookie: SecretBytes
  /// Seals discovery beacons.
  let beacon: SecretBytes

  /// Nil unless `secret` has 32 bytes.
  public init?(_ secret: SecretBytes) {
    guard secret.count == NetworkKey.count else { return nil }
    self.init(checked: secret)
  }

  /// A public network's key is no secret: it is made from the network's id, and keeps only the
  /// networks apart.
  public init(ofPublic network: NetworkID) {
    self.init(
      checked: BLAKE2b.derive("public network", from: SecretBytes(network.raw.bytes)))
  }

  public init(using generator: inout some RandomNumberGenerator) {
    self.init(checked: SecretBytes(count: NetworkKey.count, using: &generator))
  }

  private init(checked secret: SecretBytes) {
    self.secret = secret
    handshake = BLAKE2b.derive("handshake", from: secret)
    mark = BLAKE2b.derive("mark", from: secret)
    cookie = BLAKE2b.derive("cookie", from: secret)
    beacon = BLAKE2b.derive("beacon", from: secret)
  }
}
