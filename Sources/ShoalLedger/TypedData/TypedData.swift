// Structured data to be signed, hashed as EIP-712 says: the digest names the contract, the chain
// and the meaning of every field, so that a signature is good for one thing only.

public import ShoalProtocol

/// One structure type: its name, and its fields in order.
public struct TypedStructure: Hashable, Sendable {
  public struct Field: Hashable, Sendable {
    public let name: String
    public let type: SolidityType
    public init(_ name: String, _ type: SolidityType) { (self.name, self.type) = (name, type) }
  }

  public let name: String
  public let fields: [Field]
  public init(_ name: String, _ fields: [Field]) { (self.name, self.fields) = (name, fields) }
}

/// The structure types that a message is made of.
public struct TypedSchema: Sendable {
  private let structures: [String: TypedStructure]

  /// Of two structures with one name the last counts.
  public init(_ structures: [TypedStructure]) {
    self.structures = Dictionary(structures.map { ($0.name, $0) }) { $1 }
  }

  private func structure(_ name: String) throws(SolidityError) -> TypedStructure {
    guard let structure = structures[name] else { throw .unknownStructure(name) }
    return structure
  }

  /// `encodeType`: the structure, then those it refers to, sorted by name.
  public func encodedType(_ name: String) throws(SolidityError) -> String {
    var reached: Set<String> = []
    try collect(name, into: &reached)
    reached.remove(name)
    return try ([name] + reached.sorted()).map { name throws(SolidityError) in
      let fields = try structure(name).fields.map { "\($0.type) \($0.name)" }
      return "\(name)(\(fields.joined(separator: ",")))"
    }.joined()
  }

  private func collect(_ name: String, into reached: inout Set<String>) throws(SolidityError) {
    guard reached.insert(name).inserted else { return }
    for field in try structure(name).fields {
      if let inner = field.type.innermostStructure { try collect(inner, into: &reached) }
    }
  }

  public func typeHash(_ name: String) throws(SolidityError) -> Bytes32 {
    Keccak256.hash(Array(try encodedType(name).utf8))
  }

  /// `typeHash` and the fields' words: what `hash` hashes.
  public func encoded(_ name: String, _ values: [SolidityValue]) throws(SolidityError) -> [UInt8] {
    try encoded(name, values, depth: 0)
  }

  /// `hashStruct`.
  public func hash(_ name: String, _ values: [SolidityValue]) throws(SolidityError) -> Bytes32 {
    Keccak256.hash(try encoded(name, values))
  }

  private func encoded(
    _ name: String, _ values: [SolidityValue], depth: Int
  ) throws(SolidityError) -> [UInt8] {
    let fields = try structure(name).fields
    guard fields.count == values.count else { throw .mismatch(type: name) }
    var bytes = try typeHash(name).bytes
    for (field, value) in zip(fields, values) {
      bytes += try word(field.type, value, depth: depth + 1).bytes
    }
    return bytes
  }

  /// `encodeData` of one value.
  private func word(
    _ type: SolidityType, _ value: SolidityValue, depth: Int
  ) throws(SolidityError) -> Bytes32 {
    guard depth <= SolidityType.depthLimit else { throw .tooDeep(limit: SolidityType.depthLimit) }
    switch (type, value) {
    case (.bytes, .bytes(let bytes)): return Keccak256.hash(bytes)
    case (.string, .string(let text)): return Keccak256.hash(Array(text.utf8))
    case (.array(let element), .list(let values)):
      return try list(element, values, depth: depth)
    case (.fixedArray(let element, let count), .list(let values)) where values.count == count:
      return try list(element, values, depth: depth)
    case (.structure(let name), .list(let values)):
      return Keccak256.hash(try encoded(name, values, depth: depth))
    case _: return try type.word(of: value)
    }
  }

  private func list(
    _ element: SolidityType, _ values: [SolidityValue], depth: Int
  ) throws(SolidityError) -> Bytes32 {
    var bytes: [UInt8] = []
    for value in values { bytes += try word(element, value, depth: depth + 1).bytes }
    return Keccak256.hash(bytes)
  }
}

extension SolidityType {
  /// The structure that this type is, or is an array of.
  fileprivate var innermostStructure: String? {
    switch self {
    case .structure(let name): name
    case .array(let element), .fixedArray(let element, _): element.innermostStructure
    case .uint, .int, .bool, .address, .fixedBytes, .bytes, .string, .tuple: nil
    }
  }
}

/// Who a signature is meant for: EIP-712's domain. Fields that are nil are left out.
public struct TypedDomain: Hashable, Sendable {
  public var name: String?
  public var version: String?
  public var chain: UInt256?
  public var contract: EthereumAddress?
  public var salt: Bytes32?

  public init(
    name: String? = nil, version: String? = nil, chain: UInt256? = nil,
    contract: EthereumAddress? = nil, salt: Bytes32? = nil
  ) {
    self.name = name
    self.version = version
    self.chain = chain
    self.contract = contract
    self.salt = salt
  }

  /// `domainSeparator`.
  public var separator: Bytes32 {
    let parts: [(TypedStructure.Field, SolidityValue?)] = [
      (.init("name", .string), name.map { .string($0) }),
      (.init("version", .string), version.map { .string($0) }),
      (.init("chainId", .uint256), chain.map { .integer($0) }),
      (.init("verifyingContract", .address), contract.map { .address($0) }),
      (.init("salt", .bytes32), salt.map { .word($0) }),
    ]
    let present = parts.filter { $0.1 != nil }
    let structure = TypedStructure("EIP712Domain", present.map(\.0))
    // Cannot fail: each value above is made for its field.
    return (try? TypedSchema([structure]).hash(structure.name, present.compactMap(\.1))) ?? .zero
  }

  /// What is signed: 0x19 0x01, the domain, the structure's hash.
  public func digest(_ structureHash: Bytes32) -> Bytes32 {
    TypedDomain.digest(separator: separator, structureHash)
  }

  public static func digest(separator: Bytes32, _ structureHash: Bytes32) -> Bytes32 {
    Keccak256.hash([0x19, 0x01] + separator.bytes + structureHash.bytes)
  }
}
