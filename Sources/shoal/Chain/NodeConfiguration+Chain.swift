// A peer of a network whose ledger is on a chain.

import ShoalEthereum
import ShoalNode
import ShoalPeer
import ShoalSecurity

extension NodeConfiguration {
  /// Takes names from the chain's registry, and settles accounts by its channels, as far as the
  /// network's descriptor names the contracts.
  mutating func followChain(_ store: LocalStore) throws {
    guard let settings = network.ledger, settings.backend == ChainLedger.backend else { return }
    let descriptor = try ChainDescriptor(settings: settings.settings)
    if descriptor.modelRegistry != nil {
      sources.append(ChainSource(descriptor: descriptor, documents: store.documents))
    }
    if accounts != nil, let contract = descriptor.paymentChannels {
      ledger = try ChainLedger(descriptor, contract, key: try store.chainKey())
    }
  }
}
