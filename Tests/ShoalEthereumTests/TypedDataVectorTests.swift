// EIP-712 against its own worked example and against the vectors of ethers.

import ShoalEthereum
import ShoalLedger
import ShoalProtocol
import ShoalSecurity
import Testing

@Suite(.enabled(if: SharedVectors.exist, SharedVectors.absence))
struct TypedDataVectorTests {
  private struct Field: Decodable {
    let name: String
    let type: String
  }

  private struct EthersCase: Decodable {
    let name: String
    let domain: LooseJSON
    let primaryType: String
    let types: [String: [Field]]
    let data: LooseJSON
    let encoded: HexText
    let digest: HexText
    let privateKey: HexText?
    let signature: HexText?
  }

  private static func schema(_ types: [String: [Field]]) throws -> TypedSchema {
    TypedSchema(
      try types.map { name, fields in
        TypedStructure(name, try fields.map { .init($0.name, try SolidityType($0.type)) })
      })
  }

  private static func domain(_ json: LooseJSON) throws -> TypedDomain {
    TypedDomain(
      name: json["name"]?.text, version: json["version"]?.text,
      chain: try json["chainId"]?.number(),
      contract: json["verifyingContract"]?.text.flatMap { EthereumAddress($0) },
      salt: try json["salt"].flatMap { Bytes32(try $0.bytes()) })
  }

  /// A structure's fields in order.
  private static func values(
    _ json: LooseJSON, of name: String, _ types: [String: [Field]]
  ) throws -> [SolidityValue] {
    let fields = try #require(types[name])
    return try fields.map { field in
      try value(json.member(field.name), of: SolidityType(field.type), types)
    }
  }

  private static func value(
    _ json: LooseJSON, of type: SolidityType, _ types: [String: [Field]]
  ) throws -> SolidityValue {
    switch type {
    case .uint, .int: return .integer(try json.number())
    case .bool:
      guard case .bool(let flag) = json else { throw SolidityError.mismatch(type: "bool") }
      return .bool(flag)
    case .address: return .address(try json.address())
    case .fixedBytes, .bytes: return .bytes(try json.bytes())
    case .string: return .string(try json.string())
    case .array(let element), .fixedArray(let element, _):
      return .list(try #require(json.elements).map { try value($0, of: element, types) })
    case .structure(let name): return .list(try values(json, of: name, types))
    case .tuple: throw SolidityError.mismatch(type: "tuple")
    }
  }

  @Test func `ethers' structures are encoded, hashed and signed as there`() throws {
    var signed = 0
    for vector in try SharedVectors.list("typed-data.json", of: EthersCase.self) {
      let schema = try Self.schema(vector.types)
      let values = try Self.values(vector.data, of: vector.primaryType, vector.types)
      let encoded = try schema.encoded(vector.primaryType, values)
      #expect(encoded == vector.encoded.bytes, "\(vector.name)")
      let digest = try Self.domain(vector.domain).digest(Keccak256.hash(encoded))
      #expect(digest.bytes == vector.digest.bytes, "\(vector.name)")
      guard let secret = vector.privateKey, let signature = vector.signature else { continue }
      let key = try #require(EthereumKey(SecretBytes(secret.bytes)))
      #expect(key.sign(digest).bytes == signature.bytes, "\(vector.name)")
      signed += 1
    }
    #expect(signed > 0)
  }

  @Test func `the mail of EIP-712 has its hashes and its signature`() throws {
    let mail = try SharedVectors.list("eip712-mail.json", of: LooseJSON.self)[0]
    let person: [TypedStructure.Field] = [.init("name", .string), .init("wallet", .address)]
    let schema = TypedSchema([
      TypedStructure("Person", person),
      TypedStructure(
        "Mail",
        [
          .init("from", .structure("Person")), .init("to", .structure("Person")),
          .init("contents", .string),
        ]),
    ])
    #expect(try schema.typeHash("Mail").bytes == mail.member("typeHash").bytes())
    let message = try mail.member("message")
    let people = try ["from", "to"].map { side -> SolidityValue in
      let person = try message.member(side)
      return .list([
        .string(try person.member("name").string()),
        .address(try person.member("wallet").address()),
      ])
    }
    let hash = try schema.hash("Mail", people + [.string("Hello, Bob!")])
    #expect(try hash.bytes == mail.member("structHash").bytes())
    let digest = try Self.domain(mail.member("domain")).digest(hash)
    #expect(try digest.bytes == mail.member("digest").bytes())
    let secret = SecretBytes(Keccak256.hash(Array("cow".utf8)).bytes)
    let key = try #require(EthereumKey(secret))
    let signature = key.sign(digest)
    #expect(signature.isOdd)
    #expect(try signature.r.bytes == mail.member("r").bytes())
    #expect(try signature.s.bytes == mail.member("s").bytes())
  }

  @Test func `a structure that contains itself is named once and ends`() throws {
    let schema = TypedSchema([
      TypedStructure("Tree", [.init("leaves", .array(of: .structure("Tree")))])
    ])
    #expect(try schema.encodedType("Tree") == "Tree(Tree[] leaves)")
    var tree = SolidityValue.list([.list([])])
    for _ in 0..<100 { tree = .list([.list([tree])]) }
    #expect(throws: SolidityError.tooDeep(limit: SolidityType.depthLimit)) {
      try schema.hash("Tree", [.list([tree])])
    }
  }
}
