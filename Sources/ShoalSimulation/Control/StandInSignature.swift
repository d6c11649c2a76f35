// A signature that is cheap to make and that only the simulation can make: it is keyed by a secret
// that follows from the author's number. It stands in for Ed25519 where a mesh of hundreds runs.

internal import ShoalProtocol

enum StandInSignature {
  /// `secret` is what a forger lacks.
  static func sign(_ body: [UInt8], by author: PeerID, secret: UInt64) -> SignedRecord? {
    var generator = SeededGenerator(digest(body, author, secret: secret))
    var signature: [UInt8] = []
    for _ in 0..<SignedRecord.signatureBytes / 8 {
      let word = generator.next()
      signature += (0..<8).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) }
    }
    return SignedRecord(body: body, author: author, signature: signature)
  }

  static func verification(secret: UInt64) -> RecordVerification {
    { signed in
      sign(signed.body, by: signed.author, secret: secret)?.signature == signed.signature
    }
  }

  private static func digest(_ body: [UInt8], _ author: PeerID, secret: UInt64) -> UInt64 {
    var hash = secret ^ author.raw.prefix64
    for byte in body { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    return SeededGenerator.mixed(hash)
  }
}
