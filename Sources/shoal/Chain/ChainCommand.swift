// `shoal chain`: the chain that a network's ledger is on, and the contracts there.

import ArgumentParser
import Foundation
import ShoalEthereum
import ShoalLedger
import ShoalProtocol
import ShoalSecurity
import ShoalSystem

struct ChainCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "chain", abstract: "Shows the chain of a network's ledger, and deploys contracts.",
    subcommands: [Show.self, Deploy.self], defaultSubcommand: Show.self)

  struct Show: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Shows the chain, its contracts, and this peer's account.")
    @OptionGroup var options: ChainOptions
    @Flag(help: "Print facts as JSON.") var json = false

    private struct Facts: Encodable {
      let chain: UInt64
      let head: UInt64
      let account: String
      /// In wei.
      let balance: String
      let settings: [String: String]
    }

    func run() async throws {
      let descriptor = try options.descriptor()
      let node = try await descriptor.checkedNode()
      let account = try options.key().address
      let facts = Facts(
        chain: descriptor.chain, head: try await node.head(), account: "\(account)",
        balance: "\(try await node.balance(of: account))", settings: descriptor.settings)
      if json { return try JSONOutput.print(facts) }
      print("chain \(facts.chain) at block \(facts.head)")
      print("account \(facts.account), \(facts.balance) wei")
      for (key, value) in facts.settings.sorted(by: { $0.key < $1.key }) {
        print("\(key) = \(value)")
      }
    }
  }

  struct Deploy: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Deploys the three contracts, and prints the network's [ledger] section.",
      discussion: """
        Without owner, fee or upgrade, and unaudited. The account of SHOAL_CHAIN_KEY, or of the \
        data directory, pays for the gas.
        """)
    @OptionGroup var options: ChainOptions
    @Option(help: "Seconds that a payee has to redeem after its payer asked to close.")
    var challenge: UInt64 = 86_400
    @Option(help: "A network's descriptor file that the section is added to.") var into: String?

    func run() async throws {
      var descriptor = try options.descriptor()
      let node = try await descriptor.checkedNode()
      let sender = ChainSender(
        node, key: try options.key(), chain: descriptor.chain, interval: .milliseconds(250),
        now: { SystemClock().now() })
      descriptor.firstBlock = try await node.head() + 1
      let models = try await deploy(.modelRegistry, [], sender)
      let channels = try await deploy(
        .paymentChannels, [.address(.zero), .integer(challenge)], sender)
      let peers = try await deploy(
        .nodeRegistry, [.address(channels), .integer(challenge)], sender)
      (descriptor.modelRegistry, descriptor.paymentChannels) = (models, channels)
      descriptor.nodeRegistry = peers
      let section = try Deploy.section(descriptor)
      guard let into else { return print(section) }
      let text = try String(contentsOfFile: into, encoding: .utf8)
      guard !text.contains("[ledger]") else {
        throw UserError("\(into) has a [ledger] already; this is the new one:\n\(section)")
      }
      try (text + "\n" + section).write(toFile: into, atomically: true, encoding: .utf8)
      print("added the ledger to \(into): join it anew, its network has another id now")
    }

    private func deploy(
      _ code: ContractCode, _ arguments: [SolidityValue], _ sender: ChainSender
    ) async throws -> EthereumAddress {
      let receipt = try await sender.send(code.deployment(arguments))
      guard let contract = receipt.contract else {
        throw UserError("the chain made no contract of \(code.rawValue)")
      }
      Terminal.printError("\(code.rawValue) at \(contract), \(receipt.gasUsed) gas")
      return contract
    }

    /// As a descriptor file has it.
    static func section(_ descriptor: ChainDescriptor) throws -> String {
      let lines = descriptor.settings.sorted { $0.key < $1.key }.map {
        "\($0.key) = \"\($0.value)\""
      }
      return (["[ledger]", "backend = \"\(ChainLedger.backend)\""] + lines)
        .joined(separator: "\n") + "\n"
    }
  }
}
