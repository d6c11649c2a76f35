// Changes of names by transactions: what `shoal registry publish --on-chain` does.

import ShoalEthereum
import ShoalLedger
import ShoalPeer
import ShoalProtocol
import ShoalSystem

struct RegistryDesk {
  private let contract: EthereumAddress
  private let node: ChainNode
  private let sender: ChainSender

  init(_ data: DataDirectory) async throws {
    let descriptor = try ChainDescriptor.named(nil, node: nil, data)
    contract = try descriptor.required(descriptor.modelRegistry, "model_registry")
    node = try await descriptor.checkedNode()
    sender = ChainSender(
      node, key: try data.open().chainKey(), chain: descriptor.chain, interval: .milliseconds(250),
      now: { SystemClock().now() })
  }

  /// Registers a name of this account, or lets it stand for another model. One line for a person.
  func publish(name: String, model: ModelID, location: String) async throws -> String {
    let id = nameID(name)
    let known = try await RegistryContract.record(node, contract, id)
    let order =
      known.revision == 0
      ? try RegistryContract.register(contract, name: name, model: model, location: location)
      : try RegistryContract.update(
        contract, name: id, revision: known.revision, model: model, location: location)
    let receipt = try await sender.send(order)
    return "\(sender.account)/\(name)  revision \(known.revision + 1)  "
      + "\(model.raw.hex.prefix(8))  block \(receipt.block), \(receipt.gasUsed) gas"
  }

  func retire(name: String) async throws -> String {
    let id = nameID(name)
    let known = try await RegistryContract.record(node, contract, id)
    guard known.revision > 0 else { throw RegistryError.notRegistered(name) }
    let receipt = try await sender.send(
      RegistryContract.retire(contract, name: id, revision: known.revision))
    return "\(sender.account)/\(name)  retired  block \(receipt.block), \(receipt.gasUsed) gas"
  }

  private func nameID(_ name: String) -> Bytes32 {
    ModelEntry.nameID(PeerID(sender.account.word), name)
  }
}
