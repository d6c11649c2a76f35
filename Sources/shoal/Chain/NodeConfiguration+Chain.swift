// A peer of a network whose ledger is on a chain.

import ShoalEthereum
import ShoalNode

extension NodeConfiguration {
  /// Takes names from the chain's registry, and settles accounts by its channels, as far as the
  /// descriptor names the contracts.
  mutating func follow(_ descriptor: ChainDescriptor, _ store: LocalStore) throws {
    if descriptor.modelRegistry != nil {
      sources.append(ChainSource(descriptor: descriptor, documents: store.documents))
    }
    if accounts != nil, let contract = descriptor.paymentChannels {
      ledger = try ChainLedger(descriptor, contract, key: try store.chainKey())
    }
  }
}
