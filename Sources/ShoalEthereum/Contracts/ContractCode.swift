// The three contracts as they were compiled: what `shoal chain deploy` puts on a chain.

public import ShoalLedger

public enum ContractCode: String, Sendable, CaseIterable {
  case modelRegistry = "ModelRegistry"
  case paymentChannels = "PaymentChannels"
  case nodeRegistry = "NodeRegistry"

  private var file: [UInt8] {
    switch self {
    case .modelRegistry: PackageResources.ModelRegistry_json
    case .paymentChannels: PackageResources.PaymentChannels_json
    case .nodeRegistry: PackageResources.NodeRegistry_json
    }
  }

  /// Types of the constructor's arguments.
  private var arguments: [SolidityType] {
    switch self {
    case .modelRegistry: []
    case .paymentChannels, .nodeRegistry: [.address, .uint256]
    }
  }

  /// What runs once and makes the contract. Throws where the file is no compiler's.
  public func bytecode() throws -> [UInt8] {
    guard let bytes = try RPCValue(json: file)["bytecode"]?.data, !bytes.isEmpty else {
      throw RPCError.malformed("\(rawValue).json")
    }
    return bytes
  }

  /// The transaction that deploys it.
  /// - Parameter values: of the constructor: for channels the token (zero: the chain's own coin)
  ///   and the challenge in seconds; for nodes the channels' contract and the same.
  public func deployment(_ values: [SolidityValue]) throws -> TransactionOrder {
    TransactionOrder(
      recipient: nil, data: try bytecode() + ABI.encode(arguments, values))
  }
}

/// One function of a contract.
struct ContractFunction {
  let name: String
  let inputs: [SolidityType]
  let outputs: [SolidityType]

  init(_ name: String, _ inputs: [SolidityType], returns outputs: [SolidityType] = []) {
    (self.name, self.inputs, self.outputs) = (name, inputs, outputs)
  }

  func data(_ values: [SolidityValue]) throws(ABIError) -> [UInt8] {
    let signature = "\(name)(\(inputs.map(\.description).joined(separator: ",")))"
    return ABI.selector(signature) + (try ABI.encode(inputs, values))
  }
}

extension SolidityValue {
  /// Saturates.
  var number64: UInt64? {
    if case .integer(let number) = self { UInt64(clamping: number.narrow ?? .max) } else { nil }
  }
  /// Saturates: what is paid with has no more.
  var amount: Amount? {
    if case .integer(let number) = self { Amount(number.narrow ?? .max) } else { nil }
  }
  var account: EthereumAddress? { if case .address(let account) = self { account } else { nil } }
  var text: String? { if case .string(let text) = self { text } else { nil } }
}
