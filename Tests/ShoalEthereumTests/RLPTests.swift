// RLP against the vectors of others, and against bytes that mean nothing.

import ShoalEthereum
import ShoalLedger
import ShoalProtocol
import Testing

@Suite(.enabled(if: SharedVectors.exist, SharedVectors.absence))
struct RLPVectorTests {
  private struct FoundationCase: Decodable {
    let input: LooseJSON
    let out: HexText
    enum CodingKeys: String, CodingKey {
      case input = "in"
      case out
    }
  }

  private struct EthersCase: Decodable {
    let name: String
    let decoded: LooseJSON
    let encoded: HexText
  }

  /// As the Foundation's vectors write items: text, numbers, and `#` before large numbers.
  private static func item(_ json: LooseJSON) throws -> RLPItem {
    switch json {
    case .string(let text) where text.hasPrefix("#"):
      return .bytes(try bigEndian(String(text.dropFirst())))
    case .string(let text): return .bytes(Array(text.utf8))
    case .integer: return .integer(try json.number())
    case .array(let elements): return .list(try elements.map(item))
    case .null, .bool, .object: throw RLPError.shape(expected: "a vector")
    }
  }

  /// Decimal digits as bytes: one of the numbers has more than 256 bits.
  private static func bigEndian(_ digits: String) throws -> [UInt8] {
    var bytes: [UInt8] = []
    for digit in digits {
      var carry = try #require(digit.wholeNumberValue)
      for index in bytes.indices.reversed() {
        carry += Int(bytes[index]) * 10
        bytes[index] = UInt8(carry & 255)
        carry >>= 8
      }
      if carry > 0 { bytes.insert(UInt8(carry), at: 0) }
    }
    return bytes
  }

  private static func hexItem(_ json: LooseJSON) throws -> RLPItem {
    if let elements = json.elements { return .list(try elements.map(hexItem)) }
    return .bytes(try json.bytes())
  }

  @Test func `the Foundation's items are written and read`() throws {
    let cases = try SharedVectors.table("rlp-ethereum-tests.json", of: FoundationCase.self)
    for (name, vector) in cases {
      let item = try Self.item(vector.input)
      #expect(item.encoded == vector.out.bytes, "\(name)")
      #expect(try RLPItem(decoding: vector.out.bytes) == item, "\(name)")
    }
  }

  @Test func `the items of ethers are written and read`() throws {
    for vector in try SharedVectors.list("rlp.json", of: EthersCase.self) {
      let item = try Self.hexItem(vector.decoded)
      #expect(item.encoded == vector.encoded.bytes, "\(vector.name)")
      #expect(try RLPItem(decoding: vector.encoded.bytes) == item, "\(vector.name)")
    }
  }

  @Test func `each of the Foundation's invalid encodings is refused`() throws {
    for (name, vector) in try SharedVectors.table("rlp-invalid.json", of: FoundationCase.self) {
      #expect(throws: RLPError.self, "\(name)") { try RLPItem(decoding: vector.out.bytes) }
    }
  }
}

struct RLPTests {
  @Test func `random bytes are refused or are the one encoding of what they say`() {
    var generator = SplitMix(state: 1)
    var accepted = 0
    for _ in 0..<20_000 {
      let count = Int.random(in: 0...40, using: &generator)
      let bytes = (0..<count).map { _ in
        // Heads of short items are likelier, so that some of it is valid.
        Bool.random(using: &generator)
          ? UInt8.random(in: 0x80...0x84, using: &generator)
          : UInt8.random(in: .min ... .max, using: &generator)
      }
      guard let item = try? RLPItem(decoding: bytes) else { continue }
      accepted += 1
      #expect(item.encoded == bytes)
    }
    #expect(accepted > 100)
  }

  @Test func `lists in lists end at the limit and not on the stack`() {
    var item = RLPItem.list([])
    for _ in 0..<200 { item = .list([item]) }
    guard
      case .tooDeep(RLPItem.depthLimit, _) = #expect(
        throws: RLPError.self,
        performing: {
          try RLPItem(decoding: item.encoded)
        })
    else {
      Issue.record("not refused as too deep")
      return
    }
  }
}

/// Steele, Lea, Flood: "Fast splittable pseudorandom number generators" (2014).
struct SplitMix: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var word = state
    word = (word ^ word >> 30) &* 0xbf58_476d_1ce4_e5b9
    word = (word ^ word >> 27) &* 0x94d0_49bb_1331_11eb
    return word ^ word >> 31
  }
}
