// Hashing, identities and signatures, held to the vectors of their RFCs.
import ShoalProtocol
import ShoalSecurity
import Testing

@Suite struct KeyTests {
  /// BLAKE2b-256 of RFC 7693's message "abc", of nothing and of a long message; the digests are
  /// those of Python's hashlib.blake2b(digest_size=32).
  static let digests: [(message: [UInt8], digest: String)] = [
    ([], "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8"),
    (Array("abc".utf8), "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319"),
    (
      (0..<1000).map { UInt8($0 % 251) },
      "b372d0608f720c8c3dd41e9c8eecb10143b41abe520b616607e754bf79c08331"
    ),
  ]

  @Test(arguments: digests.indices)
  func hashingMatchesPublishedDigests(row: Int) {
    let (message, digest) = KeyTests.digests[row]
    #expect(BLAKE2b.hash(message).hex == digest)
    for piece in [1, 7, 128, 1000] {
      var stream = BLAKE2bStream()
      for start in stride(from: 0, to: message.count, by: piece) {
        stream.update(Array(message[start..<min(start + piece, message.count)]))
      }
      #expect(stream.finish().hex == digest)
    }
  }

  @Test func anIdentityIsItsEd25519PublicKey() throws {
    // RFC 8032, section 7.1, TEST 1.
    let seed = try #require(
      Hex.decode("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"))
    let identity = try #require(PeerIdentity(seed: SecretBytes(seed)))
    #expect(
      identity.id.raw.hex == "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
    #expect(PeerIdentity(seed: SecretBytes(seed.dropLast())) == nil)
  }

  @Test func aSignatureHoldsForItsMessagePurposeAndSignerOnly() {
    var generator = SeededGenerator(seed: 1)
    let alice = PeerIdentity(using: &generator)
    let bob = PeerIdentity(using: &generator)
    let message = Array("forty peers".utf8)
    let signature = alice.sign(message, purpose: .invite)
    #expect(signature.isValid(for: message, purpose: .invite, by: alice.id))
    #expect(!signature.isValid(for: message, purpose: .staticKey, by: alice.id))
    #expect(!signature.isValid(for: message, purpose: .invite, by: bob.id))
    #expect(!signature.isValid(for: message + [0], purpose: .invite, by: alice.id))
    #expect(!signature.isValid(for: message, purpose: .invite, by: PeerID(.zero)))
    for index in 0..<Signature.count {
      var mangled = signature.bytes
      mangled[index] ^= 1
      #expect(Signature(mangled)?.isValid(for: message, purpose: .invite, by: alice.id) == false)
    }
  }

  @Test func aStaticKeyBelongsToTheIdentityThatSignedIt() throws {
    var generator = SeededGenerator(seed: 2)
    let alice = PeerIdentity(using: &generator)
    let bob = PeerIdentity(using: &generator)
    #expect(alice.staticKey.isValid)
    #expect(alice.staticKey.key.raw != alice.id.raw)
    let stolen = SignedStaticKey(
      owner: bob.id, key: alice.staticKey.key, signature: alice.staticKey.signature)
    #expect(!stolen.isValid)
    var writer = ByteWriter()
    alice.staticKey.write(to: &writer)
    #expect(writer.bytes.count == SignedStaticKey.count)
    var reader = ByteReader(writer.bytes)
    #expect(try SignedStaticKey(from: &reader) == alice.staticKey)
    for count in 0..<writer.bytes.count {
      var short = ByteReader(Array(writer.bytes.prefix(count)))
      #expect(throws: WireError.self) { try SignedStaticKey(from: &short) }
    }
  }
}
