// The contract ModelRegistry: transactions that change names, and the logs that say so.

public import ShoalLedger
public import ShoalProtocol

public enum RegistryContract {
  private static let register = ContractFunction("register", [.string, .bytes32, .string])
  private static let update = ContractFunction(
    "update", [.bytes32, .uint64, .bytes32, .string])
  private static let retire = ContractFunction("retire", [.bytes32, .uint64])

  private static let records = ContractFunction("records", [.bytes32])

  public static let nameLimit = 96
  public static let locationLimit = 256

  public static func register(
    _ contract: EthereumAddress, name: String, model: ModelID, location: String
  ) throws(ABIError) -> TransactionOrder {
    TransactionOrder(
      recipient: contract,
      data: try register.data([.string(name), .word(model.raw), .string(location)]))
  }

  /// - Parameters:
  ///   - name: `ModelEntry.nameID`.
  ///   - revision: that it replaces: another one makes the transaction fail.
  public static func update(
    _ contract: EthereumAddress, name: Bytes32, revision: UInt64, model: ModelID, location: String
  ) throws(ABIError) -> TransactionOrder {
    TransactionOrder(
      recipient: contract,
      data: try update.data([
        .word(name), .integer(revision), .word(model.raw), .string(location),
      ]))
  }

  public static func retire(
    _ contract: EthereumAddress, name: Bytes32, revision: UInt64
  ) throws(ABIError) -> TransactionOrder {
    TransactionOrder(
      recipient: contract, data: try retire.data([.word(name), .integer(revision)]))
  }

  /// What the contract has of a name. Revision 0: nothing.
  public static func record(
    _ node: ChainNode, _ contract: EthereumAddress, _ name: Bytes32
  ) async throws -> (revision: UInt64, isRetired: Bool, model: ModelID) {
    let answer = try await node.call(contract, records.data([.word(name)]))
    let values = try ABI.decode([.address, .uint64, .bool, .bytes32], answer)
    guard let revision = values[1].number64, case .bool(let isRetired) = values[2],
      case .bytes(let hash) = values[3], let model = Bytes32(hash)
    else { throw RPCError.malformed("records") }
    return (revision, isRetired, ModelID(model))
  }

  // MARK: Logs

  /// What a log of this contract says; nil: of another event, or nonsense.
  public enum Event: Hashable, Sendable {
    case registered(
      id: Bytes32, publisher: EthereumAddress, model: ModelID, revision: UInt64, name: String,
      location: String)
    case updated(
      id: Bytes32, publisher: EthereumAddress, model: ModelID, revision: UInt64, location: String)
    case retired(id: Bytes32, publisher: EthereumAddress, revision: UInt64)
  }

  private static let registered = ABI.eventTopic(
    "ModelRegistered(bytes32,address,bytes32,uint64,string,string)")
  private static let updated = ABI.eventTopic(
    "ModelUpdated(bytes32,address,bytes32,uint64,string)")
  private static let retired = ABI.eventTopic("ModelRetired(bytes32,address,uint64)")

  public static func event(_ log: ChainLog) -> Event? {
    guard let topic = log.topics.first, log.topics.count >= 3,
      let publisher = EthereumAddress(padded: log.topics[2])
    else { return nil }
    let id = log.topics[1]
    switch topic {
    case registered:
      guard log.topics.count == 4,
        let values = values([.uint64, .string, .string], log.data),
        let revision = values[0].number64, let name = values[1].text,
        let location = values[2].text, name.utf8.count <= nameLimit,
        location.utf8.count <= locationLimit
      else { return nil }
      return .registered(
        id: id, publisher: publisher, model: ModelID(log.topics[3]), revision: revision,
        name: name, location: location)
    case updated:
      guard log.topics.count == 4, let values = values([.uint64, .string], log.data),
        let revision = values[0].number64, let location = values[1].text,
        location.utf8.count <= locationLimit
      else { return nil }
      return .updated(
        id: id, publisher: publisher, model: ModelID(log.topics[3]), revision: revision,
        location: location)
    case retired:
      guard let revision = values([.uint64], log.data)?.first?.number64 else { return nil }
      return .retired(id: id, publisher: publisher, revision: revision)
    case _: return nil
    }
  }

  private static func values(_ types: [SolidityType], _ data: [UInt8]) -> [SolidityValue]? {
    do throws(ABIError) { return try ABI.decode(types, data) } catch { return nil }
  }
}
