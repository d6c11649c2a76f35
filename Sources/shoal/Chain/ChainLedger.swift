// Accounts that are settled by the contract PaymentChannels, and names of the contract
// ModelRegistry.

import ShoalEthereum
import ShoalLedger
import ShoalNode
import ShoalProtocol
import ShoalSystem

/// Signs for an address.
struct ChainSigner: SettlementSigner {
  let key: EthereumKey
  var account: LedgerAccount { LedgerAccount(key.address) }

  func sign(_ digest: Bytes32) -> [UInt8] { key.sign(digest).bytes }

  static let verification: SettlementVerification = { account, digest, signature in
    EthereumSignature(signature)?.signer(of: digest)?.word == account.raw
  }
}

struct ChainLedger: SettlementLedger {
  /// What a network's descriptor calls it.
  static let backend = "evm"

  let domain: SettlementDomain
  let signer: any SettlementSigner
  let lends = false
  private let contract: EthereumAddress
  private let nodes: [ChainNode]
  private let sender: ChainSender

  init(_ descriptor: ChainDescriptor, _ contract: EthereumAddress, key: EthereumKey) throws {
    self.contract = contract
    nodes = try descriptor.client()
    domain = SettlementDomain(
      chain: UInt256(descriptor.chain), contract: contract, verify: ChainSigner.verification)
    signer = ChainSigner(key: key)
    sender = ChainSender(
      nodes[0], key: key, chain: descriptor.chain, now: { SystemClock().now() })
  }

  func channel(payer: LedgerAccount, payee: LedgerAccount) async throws -> LedgerChannel {
    guard let from = EthereumAddress(padded: payer.raw), let to = EthereumAddress(padded: payee.raw)
    else { return LedgerChannel(epoch: 0, state: .none) }
    var last: (any Error)?
    for node in nodes {
      do {
        let found = try await ChannelContract.channel(node, contract, payer: from, payee: to)
        // Vouchers of another key than the payer's are not taken here.
        let isOwn = found.2.map { $0.signer == from } ?? false
        return LedgerChannel(
          epoch: found.epoch, state: isOwn ? found.2?.state ?? .none : .none)
      } catch {
        last = error
      }
    }
    throw last ?? UserError("the chain has no node")
  }

  func redeem(_ vouchers: [Signed<Voucher>]) async throws {
    _ = try await sender.send(ChannelContract.redeem(contract, vouchers))
  }
}

/// Follows the contract that names are registered in.
struct ChainSource: RegistrySource {
  let descriptor: ChainDescriptor
  let documents: DirectoryDocuments

  private static let document = "chain-logs"
  private static let pause = Duration.seconds(5)
  /// Blocks of the chains in use come every 2 to 12 seconds, of the development chain at once.
  static let interval = Duration.seconds(1)

  func run(_ tell: @escaping @Sendable ([ModelEntry]) async -> Void) async {
    while !Task.isCancelled {
      do {
        try await follow(tell)
      } catch let halt as ListenerHalt {
        // What was done for final logs stands on sand: a person has to look.
        Terminal.printError("the chain changed a final block: \(halt); its names stay as they are")
        try? await Task.sleep(for: .seconds(1 << 30))
      } catch is CancellationError {
        return
      } catch {
        Terminal.printError("the chain: \(error)")
        try? await Task.sleep(for: Self.pause)
      }
    }
  }

  private func follow(_ tell: @escaping @Sendable ([ModelEntry]) async -> Void) async throws {
    let state = try documents.read(Self.document).map { try FollowerState(bytes: $0) }
    let documents = documents
    let follower = ChainFollower(
      descriptor, nodes: try descriptor.client(), from: state, interval: Self.interval,
      keep: { try documents.write(Self.document, $0.bytes, isSecret: false) })
    try await follower.run { await tell($0.view.entries) }
  }
}
