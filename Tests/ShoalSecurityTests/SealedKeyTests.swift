// Keys at rest: only the password opens them, and nothing that is done to the file traps.

import ShoalSecurity
import Testing

struct SealedKeyTests {
  private static let cheap = SealedKey.Cost(passes: 1, memory: 8 << 10)
  private static let secret = SecretBytes((0..<32).map { UInt8($0) })

  private static func sealed(_ password: String) throws -> SealedKey {
    var generator = SystemRandomNumberGenerator()
    return try SealedKey(
      secret, password: SecretBytes(Array(password.utf8)), cost: cheap, using: &generator)
  }

  @Test func `a sealed key opens with its password and with no other`() throws {
    let sealed = try Self.sealed("correct horse")
    let read = try #require(SealedKey(sealed.bytes))
    let opened = try read.open(password: SecretBytes(Array("correct horse".utf8)))
    #expect(opened.isEqual(to: Self.secret))
    for other in ["", "correct hors", "Correct horse", "correct horse "] {
      #expect(throws: SealedKeyError.password) {
        try read.open(password: SecretBytes(Array(other.utf8)))
      }
    }
  }

  @Test func `the same key sealed twice looks different, and never contains the secret`() throws {
    let (one, other) = (try Self.sealed("a"), try Self.sealed("a"))
    #expect(one.bytes != other.bytes)
    let secret = Self.secret.exposed
    let windows = one.bytes.indices.dropLast(7).map { Array(one.bytes[$0..<$0 + 8]) }
    #expect(!windows.contains(Array(secret[..<8])))
  }

  @Test func `a changed, cut or lying file is refused`() throws {
    let bytes = try Self.sealed("a").bytes
    let password = SecretBytes(Array("a".utf8))
    for index in 20..<bytes.count {
      var changed = bytes
      changed[index] ^= 1
      #expect(throws: SealedKeyError.password) {
        try SealedKey(changed)?.open(password: password)
      }
    }
    for count in 8..<bytes.count - 32 {
      #expect(throws: SealedKeyError.self) {
        try SealedKey(Array(bytes[..<count]))?.open(password: password)
      }
    }
    var greedy = bytes
    greedy[17] = 0xff
    #expect(throws: SealedKeyError.self) { try SealedKey(greedy)?.open(password: password) }
    #expect(SealedKey(Array(bytes[1...])) == nil)
  }
}
