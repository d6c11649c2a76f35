// Which chain, and whose key: the flags of the commands that talk to one.

import ArgumentParser
import Foundation
import ShoalEthereum
import ShoalLedger
import ShoalNode
import ShoalPeer
import ShoalProtocol
import ShoalSecurity
import ShoalSystem

/// The chain of the network that was joined, or one that is named.
struct ChainOptions: ParsableArguments {
  @Option(
    help: """
      sepolia, base-sepolia, development, or a network's descriptor file (default: the network \
      that `shoal net join` kept).
      """)
  var chain: String?
  @Option(help: "The address of a node that speaks JSON-RPC, instead of the chain's own.")
  var node: String?
  @OptionGroup var data: DataDirectory

  func descriptor() throws -> ChainDescriptor {
    try ChainDescriptor.named(chain, node: node, data)
  }

  /// The key of `SHOAL_CHAIN_KEY`, else of the data directory; made there on first use.
  func key() throws -> EthereumKey { try data.open().chainKey() }
}

extension ChainDescriptor {
  /// - Parameters:
  ///   - chain: a known chain or a descriptor file; nil: of the network that was joined.
  ///   - node: instead of the chain's own.
  static func named(
    _ chain: String?, node: String?, _ data: DataDirectory
  ) throws -> ChainDescriptor {
    var descriptor: ChainDescriptor
    if let chain, let known = known[chain] {
      descriptor = known
    } else {
      let network =
        try chain.map { try NetworkDescriptor(file: $0) }
        ?? NetworkDescriptor.joined(try data.open().documents)
      guard let ledger = network?.ledger, ledger.backend == ChainLedger.backend else {
        throw UserError(
          "no chain: name one with --chain (\(known.keys.sorted().joined(separator: ", "))), or"
            + " join a network whose ledger is \(ChainLedger.backend)")
      }
      descriptor = try ChainDescriptor(settings: ledger.settings)
    }
    if let node { descriptor.nodes = [node] }
    return descriptor
  }

  func client() throws -> [ChainNode] {
    try nodes.map { url in
      guard let transport = HTTPTransport(url: url) else {
        throw UserError("\(url) is no address of a node")
      }
      return ChainNode(RPCClient(transport))
    }
  }

  /// A node that answers and is of this chain.
  func checkedNode() async throws -> ChainNode {
    var last: (any Error)?
    for node in try client() {
      do {
        let found = try await node.chain()
        guard found == chain else {
          throw FollowerError.otherChain(expected: chain, found: found)
        }
        return node
      } catch let error as RPCError {
        last = error
      }
    }
    throw last ?? UserError("the chain has no node")
  }

  func required(_ contract: EthereumAddress?, _ name: String) throws -> EthereumAddress {
    guard let contract else {
      throw UserError("the chain's settings have no \(name): `shoal chain deploy` makes one")
    }
    return contract
  }
}

extension LocalStore {
  private static let keyDocument = "chain-key"
  static let keyVariable = "SHOAL_CHAIN_KEY"

  /// The newest vouchers of channels of one contract that this peer earns on.
  func vouchers(_ domain: SettlementDomain) throws -> [Signed<Voucher>] {
    try AccountStore(documents: documents).load().compactMap { record in
      guard record.side == .payee, let voucher = record.voucher,
        voucher.isValid(by: record.other.account, domain)
      else { return nil }
      return voucher
    }
  }

  /// The secret key of this peer's account on chains.
  func chainKey() throws -> EthereumKey {
    if let text = ProcessInfo.processInfo.environment[Self.keyVariable] {
      let digits = text.hasPrefix("0x") ? String(text.dropFirst(2)) : text
      guard let bytes = Hex.decode(digits), let key = EthereumKey(SecretBytes(bytes)) else {
        throw UserError("\(Self.keyVariable) is no secret key: 64 hexadecimal digits")
      }
      return key
    }
    if let secret = try KeyFile.read(Self.keyDocument, documents, password) {
      guard let key = EthereumKey(secret) else {
        throw UserError("\(documents.path)/\(Self.keyDocument) is damaged")
      }
      return key
    }
    let seed = Entropy().bytes(32)
    guard let key = EthereumKey(SecretBytes(seed)) else {
      throw UserError("no key can be made of 32 random bytes")
    }
    try documents.write(Self.keyDocument, seed, isSecret: true)
    return key
  }
}
