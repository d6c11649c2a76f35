// Keccak, addresses and signatures against other people's vectors.

import ShoalEthereum
import ShoalLedger
import ShoalProtocol
import ShoalSecurity
import Testing

@Suite(.enabled(if: SharedVectors.exist, SharedVectors.absence))
struct HashAndKeyVectorTests {
  private struct KeccakCase: Decodable {
    let name: String
    let data: HexText
    let keccak256: HexText
  }

  @Test func `Keccak-256 gives the published hashes`() throws {
    for vector in try SharedVectors.list("keccak.json", of: KeccakCase.self) {
      #expect(Keccak256.hash(vector.data.bytes).bytes == vector.keccak256.bytes, "\(vector.name)")
    }
  }

  private struct AccountCase: Decodable {
    let name: String
    let privateKey: HexText
    let address: String
  }

  @Test func `a key's address is the published one, checksum included`() throws {
    for vector in try SharedVectors.list("accounts.json", of: AccountCase.self) {
      let key = try #require(EthereumKey(SecretBytes(vector.privateKey.bytes)))
      #expect(key.address.description == vector.address, "\(vector.name)")
      #expect(EthereumAddress(vector.address) == key.address)
      #expect(EthereumAddress(vector.address.lowercased()) == key.address)
    }
  }

  @Test func `an address with one letter of the wrong case is refused`() throws {
    let right = "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf"
    #expect(EthereumAddress(right) != nil)
    for (index, character) in right.enumerated().dropFirst(2) where character.isLetter {
      var letters = Array(right)
      letters[index] = Character(
        character.isUppercase ? character.lowercased() : character.uppercased())
      #expect(EthereumAddress(String(letters)) == nil)
    }
  }

  private struct CreateCase: Decodable {
    struct Creation: Decodable {
      let nonce: UInt64
      let address: String
    }
    let sender: String
    let creates: [Creation]
  }

  @Test func `a contract's address follows from its maker and the nonce`() throws {
    for vector in try SharedVectors.list("create.json", of: CreateCase.self) {
      let sender = try #require(EthereumAddress(vector.sender))
      for creation in vector.creates {
        let made = EthereumTransaction.contract(from: sender, nonce: creation.nonce)
        #expect(made.description == creation.address)
      }
    }
  }

  private struct RecoverCase: Decodable {
    let name: String
    let input: HexText
    let expected: HexText
    enum CodingKeys: String, CodingKey {
      case name = "Name"
      case input = "Input"
      case expected = "Expected"
    }
  }

  @Test func `signers are recovered as the precompiled contract recovers them`() throws {
    for vector in try SharedVectors.list("ecrecover.json", of: RecoverCase.self) {
      let words = stride(from: 0, to: 128, by: 32).compactMap {
        Bytes32(vector.input.bytes[$0..<$0 + 32])
      }
      let mark = UInt256(words[1])
      var signer: EthereumAddress?
      if mark == UInt256(UInt64(27)) || mark == UInt256(UInt64(28)) {
        let signature = EthereumSignature(r: words[2], s: words[3], isOdd: mark.low == 28)
        signer = signature.signer(of: words[0], acceptsHighS: true)
      }
      #expect(signer?.word.bytes ?? [] == vector.expected.bytes, "\(vector.name)")
    }
  }
}

struct EthereumKeyTests {
  private static func key(_ last: UInt8) throws -> EthereumKey {
    try #require(EthereumKey(SecretBytes([UInt8](repeating: 0, count: 31) + [last])))
  }

  @Test func `what a key signed names its address, and nothing else does`() throws {
    let key = try Self.key(7)
    let digest = Keccak256.hash([1, 2, 3])
    let signature = key.sign(digest)
    #expect(signature.signer(of: digest) == key.address)
    #expect(signature.signer(of: Keccak256.hash([1, 2, 4])) != key.address)
    #expect(EthereumSignature(signature.bytes) == signature)
  }

  @Test func `the twin of a signature with a high s is refused`() throws {
    let key = try Self.key(9)
    let digest = Keccak256.hash([5])
    let signature = key.sign(digest)
    #expect(UInt256(signature.s) <= EthereumSignature.halfOrder)
    // n = 2 * halfOrder + 1.
    let order = try #require(
      EthereumSignature.halfOrder.multiplied(by: 2)?.adding(UInt256(UInt64(1))))
    let s = try #require(order.subtracting(UInt256(signature.s)))
    let twin = EthereumSignature(
      r: signature.r, s: s.word,
      isOdd: !signature.isOdd)
    #expect(twin.signer(of: digest, acceptsHighS: true) == key.address)
    #expect(twin.signer(of: digest) == nil)
  }

  @Test func `signature bytes with another last byte than 27 and 28 are refused`() throws {
    let bytes = try Self.key(3).sign(.zero).bytes
    for mark in UInt8.min...UInt8.max where mark != 27 && mark != 28 {
      #expect(EthereumSignature(bytes.dropLast() + [mark]) == nil)
    }
    #expect(EthereumSignature(Array(bytes.dropLast())) == nil)
  }

  @Test func `zeros and numbers beyond the group are no keys and no signatures`() throws {
    #expect(EthereumKey(SecretBytes([UInt8](repeating: 0, count: 32))) == nil)
    #expect(EthereumKey(SecretBytes([UInt8](repeating: 0xff, count: 32))) == nil)
    #expect(EthereumKey(SecretBytes([UInt8](repeating: 1, count: 31))) == nil)
    for isOdd in [true, false] {
      let zero = EthereumSignature(r: .zero, s: .zero, isOdd: isOdd)
      #expect(zero.signer(of: Keccak256.hash([1])) == nil)
      let large = EthereumSignature(
        r: UInt256.max.word, s: UInt256(UInt64(1)).word, isOdd: isOdd)
      #expect(large.signer(of: Keccak256.hash([1])) == nil)
    }
  }
}
