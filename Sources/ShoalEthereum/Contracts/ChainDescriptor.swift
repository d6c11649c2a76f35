// Which chain, which nodes, which contracts: the settings of a network whose ledger is `evm`.

public import ShoalLedger

public struct ChainDescriptor: Hashable, Sendable {
  /// The chain's id (EIP-155), which every signature names.
  public var chain: UInt64
  /// Nodes that speak JSON-RPC, the first one that answers is asked.
  public var nodes: [String]
  /// Nil: not deployed, or not used.
  public var modelRegistry: EthereumAddress?
  public var paymentChannels: EthereumAddress?
  public var nodeRegistry: EthereumAddress?
  /// Blocks that follow one that counts as final.
  public var confirmations: UInt64
  /// Nothing of the contracts is before this block.
  public var firstBlock: UInt64

  public init(
    chain: UInt64, nodes: [String], modelRegistry: EthereumAddress? = nil,
    paymentChannels: EthereumAddress? = nil, nodeRegistry: EthereumAddress? = nil,
    confirmations: UInt64 = 12, firstBlock: UInt64 = 0
  ) {
    self.chain = chain
    self.nodes = nodes
    self.modelRegistry = modelRegistry
    self.paymentChannels = paymentChannels
    self.nodeRegistry = nodeRegistry
    self.confirmations = confirmations
    self.firstBlock = firstBlock
  }

  /// Public test networks: whoever deploys the contracts there fills in their addresses.
  public static let known: [String: ChainDescriptor] = [
    "sepolia": ChainDescriptor(
      chain: 11_155_111, nodes: ["https://ethereum-sepolia-rpc.publicnode.com"], confirmations: 12),
    "base-sepolia": ChainDescriptor(
      chain: 84_532, nodes: ["https://sepolia.base.org"], confirmations: 30),
    "development": ChainDescriptor(
      chain: 1_337, nodes: ["http://127.0.0.1:8545"], confirmations: 2),
  ]

  /// Contracts that a peer listens to.
  public var contracts: [EthereumAddress] {
    [modelRegistry, paymentChannels, nodeRegistry].compactMap(\.self)
  }

  // MARK: As settings of a network's descriptor

  public var settings: [String: String] {
    var settings = [
      "chain": "\(chain)", "nodes": nodes.joined(separator: " "),
      "confirmations": "\(confirmations)", "first_block": "\(firstBlock)",
    ]
    settings["model_registry"] = modelRegistry.map { "\($0)" }
    settings["payment_channels"] = paymentChannels.map { "\($0)" }
    settings["node_registry"] = nodeRegistry.map { "\($0)" }
    return settings
  }

  public init(settings: [String: String]) throws(ChainDescriptorError) {
    var left = settings
    func number(_ key: String, default absent: UInt64?) throws(ChainDescriptorError) -> UInt64 {
      guard let text = settings[key] else {
        guard let absent else { throw .missing(key) }
        return absent
      }
      guard let number = UInt64(text) else { throw .invalid(key, text) }
      return number
    }
    func address(_ key: String) throws(ChainDescriptorError) -> EthereumAddress? {
      guard let text = settings[key], !text.isEmpty else { return nil }
      guard let address = EthereumAddress(text) else { throw .invalid(key, text) }
      return address
    }
    let nodes = (settings["nodes"] ?? "").split(separator: " ").map(String.init)
    guard !nodes.isEmpty else { throw .missing("nodes") }
    for node in nodes where !node.hasPrefix("http://") && !node.hasPrefix("https://") {
      throw .invalid("nodes", node)
    }
    self.init(
      chain: try number("chain", default: nil), nodes: nodes,
      modelRegistry: try address("model_registry"),
      paymentChannels: try address("payment_channels"),
      nodeRegistry: try address("node_registry"),
      confirmations: try number("confirmations", default: 12),
      firstBlock: try number("first_block", default: 0))
    for key in self.settings.keys { left[key] = nil }
    for key in ["model_registry", "payment_channels", "node_registry"] { left[key] = nil }
    if let key = left.keys.min() { throw .unknown(key) }
  }
}

public enum ChainDescriptorError: Error, Hashable, Sendable {
  case missing(String)
  case invalid(String, String)
  case unknown(String)
}

extension ChainDescriptorError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .missing(let key): "the chain's settings lack `\(key)`"
    case .invalid(let key, let value): "`\(key)` of the chain's settings cannot be `\(value)`"
    case .unknown(let key): "the chain's settings have no `\(key)`"
    }
  }
}
