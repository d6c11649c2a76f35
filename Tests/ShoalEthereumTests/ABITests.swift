// The contract encoding against the vectors of others, and against damaged bytes.

import ShoalEthereum
import ShoalLedger
import ShoalProtocol
import Testing

@Suite(.enabled(if: SharedVectors.exist, SharedVectors.absence))
struct ABIVectorTests {
  private struct EthersCase: Decodable {
    let name: String
    let type: String
    let verbose: LooseJSON
    let encoded: HexText
  }

  private struct BasicCase: Decodable {
    let args: [LooseJSON]
    let types: [String]
    let result: HexText
  }

  /// As ethers' vectors write values: each with its kind.
  private static func value(_ json: LooseJSON) throws -> SolidityValue {
    let content = try json.member("value")
    switch try json.member("type").string() {
    case "number": return .integer(try content.number())
    case "boolean":
      guard case .bool(let flag) = content else { break }
      return .bool(flag)
    case "string": return .string(try #require(content.text))
    case "hexstring": return .bytes(try content.bytes())
    case "address":
      let text = try content.string().lowercased()
      return .address(try #require(EthereumAddress(text)))
    case "array", "object": return .list(try #require(content.elements).map(value))
    case let kind: Issue.record("unknown kind \(kind)")
    }
    throw ABIError.value(type: "vector", offset: 0)
  }

  private static let cases = Result { try SharedVectors.list("abi.json", of: EthersCase.self) }

  @Test func `ethers' values are written and read`() throws {
    for vector in try Self.cases.get() {
      let type = try SolidityType(vector.type)
      let value = try Self.value(vector.verbose)
      #expect(try ABI.encode([type], [value]) == vector.encoded.bytes, "\(vector.name)")
      #expect(try ABI.decode([type], vector.encoded.bytes) == [value], "\(vector.name)")
    }
  }

  @Test func `the Foundation's arguments are written`() throws {
    for (name, vector) in try SharedVectors.table("abi-basic.json", of: BasicCase.self) {
      let types = try vector.types.map { try SolidityType($0) }
      let values = try zip(types, vector.args).map { try Self.value($1, of: $0) }
      #expect(try ABI.encode(types, values) == vector.result.bytes, "\(name)")
      #expect(try ABI.decode(types, vector.result.bytes) == values, "\(name)")
    }
  }

  private static func value(_ json: LooseJSON, of type: SolidityType) throws -> SolidityValue {
    switch type {
    case .array(let element):
      return .list(try #require(json.elements).map { try value($0, of: element) })
    case .bytes, .fixedBytes: return .bytes(Array(try json.string().utf8))
    case .address:
      let word = try json.number().word
      return .address(try #require(EthereumAddress(padded: word)))
    case _: return .integer(try json.number())
    }
  }

  @Test func `a damaged encoding is refused or is the one encoding of another value`() throws {
    var generator = SplitMix(state: 2)
    var (refused, accepted) = (0, 0)
    for vector in try Self.cases.get().filter({ $0.encoded.bytes.count < 2_000 }) {
      let types = [try SolidityType(vector.type)]
      for _ in 0..<40 {
        var bytes = vector.encoded.bytes
        switch Int.random(in: 0..<3, using: &generator) {
        case 0: bytes.removeLast(Int.random(in: 0...min(40, bytes.count), using: &generator))
        case 1: bytes += [UInt8](repeating: 0, count: 32)
        case _:
          guard let index = bytes.indices.randomElement(using: &generator) else { continue }
          bytes[index] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
        }
        guard let values = try? ABI.decode(types, bytes) else {
          refused += 1
          continue
        }
        accepted += 1
        #expect(try ABI.encode(types, values) == bytes)
      }
    }
    #expect(refused > 1_000 && accepted > 100)
  }
}

struct ABITests {
  @Test func `selectors and topics are hashes of signatures`() {
    #expect(Hex.encode(ABI.selector("transfer(address,uint256)")) == "a9059cbb")
    #expect(
      ABI.eventTopic("Transfer(address,address,uint256)").hex
        == "ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef")
  }

  @Test(arguments: [
    "uint7", "uint264", "uint08", "int", "bytes33", "bytes0", "uint256[", "(uint256", "[3]",
    "uint256[-1]", "uint256[01]", "a b", "", "é", "()[99999999999999999999]",
  ])
  func `a type is known, or is a structure's name, or is refused`(_ name: String) {
    if let type = try? SolidityType(name) {
      #expect(type == .int(bits: 256) || type == .structure(name))
    }
  }

  @Test func `types in types end at the limit and not on the stack`() {
    let deep = "uint8" + String(repeating: "[]", count: 10_000)
    #expect(throws: SolidityError.tooDeep(limit: SolidityType.depthLimit)) {
      try SolidityType(deep)
    }
  }

  @Test func `an array that announces more than there is costs nothing`() {
    let word = UInt256(UInt64(32)).word.bytes
    for count in [UInt256(UInt64(1 << 40)), .max, UInt256(UInt64(3))] {
      #expect(throws: ABIError.self) {
        try ABI.decode([.array(of: .uint256)], word + count.word.bytes)
      }
      #expect(throws: ABIError.self) {
        try ABI.decode([.array(of: .tuple([]))], word + count.word.bytes)
      }
    }
  }

  @Test func `a value that does not fit its type is refused`() {
    let large = SolidityValue.integer(UInt256(UInt64(256)))
    #expect(throws: ABIError.self) { try ABI.encode([.uint(bits: 8)], [large]) }
    let minus = SolidityValue.integer(UInt256(UInt64(128)).negated)
    #expect(throws: Never.self) { try ABI.encode([.int(bits: 8)], [minus]) }
    let below = SolidityValue.integer(UInt256(UInt64(129)).negated)
    #expect(throws: ABIError.self) { try ABI.encode([.int(bits: 8)], [below]) }
    #expect(throws: ABIError.self) { try ABI.encode([.bool], [.integer(UInt64(1))]) }
    #expect(throws: ABIError.self) { try ABI.encode([.bytes32], [.bytes([1])]) }
  }
}
