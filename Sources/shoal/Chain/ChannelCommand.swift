// `shoal channel`: escrow from this peer's account to those whom it pays, on a chain.

import ArgumentParser
import ShoalEthereum
import ShoalGateway
import ShoalLedger
import ShoalPeer
import ShoalProtocol
import ShoalSystem

struct ChannelCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "channel", abstract: "Opens, shows, closes and redeems payment channels.",
    subcommands: [Open.self, Show.self, Close.self, Redeem.self])

  /// What every subcommand needs.
  fileprivate struct Desk {
    let descriptor: ChainDescriptor
    let contract: EthereumAddress
    let node: ChainNode
    let key: EthereumKey
    let sender: ChainSender

    init(_ options: ChainOptions) async throws {
      descriptor = try options.descriptor()
      contract = try descriptor.required(descriptor.paymentChannels, "payment_channels")
      node = try await descriptor.checkedNode()
      key = try options.key()
      sender = ChainSender(
        node, key: key, chain: descriptor.chain, interval: .milliseconds(250),
        now: { SystemClock().now() })
    }

    func channel(to payee: EthereumAddress, from payer: EthereumAddress? = nil) async throws
      -> (id: ChannelID, epoch: UInt64, ContractChannel?)
    {
      try await ChannelContract.channel(
        node, contract, payer: payer ?? key.address, payee: payee)
    }
  }

  struct Open: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Puts coins into channels to payees, all in one transaction.")
    @Argument(help: "Accounts of payees: `shoal chain show` says a peer's own.")
    var payees: [String]
    @Option(help: "Wei for each of them.") var amount: UInt64
    @OptionGroup var options: ChainOptions

    func run() async throws {
      guard payees.count <= ChannelContract.batchLimit, amount > 0 else {
        throw ValidationError("1 to \(ChannelContract.batchLimit) payees, and more than 0 wei")
      }
      let accounts = try payees.map { try ChannelCommand.address($0) }
      let desk = try await Desk(options)
      let receipt = try await desk.sender.send(
        ChannelContract.open(
          desk.contract, accounts.map { ($0, Amount(UInt128(amount))) }))
      print("funded \(accounts.count) channels in block \(receipt.block), \(receipt.gasUsed) gas")
    }
  }

  struct Show: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Shows the channel to a payee.")
    @Argument(help: "The payee's account.") var payee: String
    @Option(help: "The payer's account (default: this peer's).") var payer: String?
    @Flag(help: "Print facts as JSON.") var json = false
    @OptionGroup var options: ChainOptions

    private struct Facts: Encodable {
      let channel: String
      let epoch: UInt64
      let isOpen: Bool
      let deposit: String
      let redeemed: String
      let closesAt: UInt64?
    }

    func run() async throws {
      let desk = try await Desk(options)
      let found = try await desk.channel(
        to: ChannelCommand.address(payee), from: try payer.map { try ChannelCommand.address($0) })
      let facts = Facts(
        channel: found.id.raw.hex, epoch: found.epoch, isOpen: found.2 != nil,
        deposit: "\(found.2?.deposit ?? .zero)", redeemed: "\(found.2?.redeemed ?? .zero)",
        closesAt: found.2?.closesAt)
      if json { return try JSONOutput.print(facts) }
      guard facts.isOpen else { return print("no channel; \(facts.epoch) were closed before") }
      let closing = facts.closesAt.map { ", closes at \($0) (seconds since 1970)" } ?? ""
      print("deposit \(facts.deposit), redeemed \(facts.redeemed)\(closing)")
    }
  }

  struct Close: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Asks to close a channel; once the challenge time is over, closes it.")
    @Argument(help: "The payee's account.") var payee: String
    @Flag(help: "Take the request back.") var cancel = false
    @Flag(help: "Close it now: the challenge time is over.") var finish = false
    @OptionGroup var options: ChainOptions

    func run() async throws {
      let desk = try await Desk(options)
      let found = try await desk.channel(to: ChannelCommand.address(payee))
      guard found.2 != nil else { throw UserError("there is no channel to \(payee)") }
      let receipt = try await desk.sender.send(
        ChannelContract.close(
          desk.contract, found.id, cancel ? .cancel : finish ? .finish : .request))
      let seconds = try await ChannelContract.challengeSeconds(desk.node, desk.contract)
      let word =
        cancel ? "taken back" : finish ? "closed" : "asked; it can be closed in \(seconds) s"
      print("\(word), in block \(receipt.block)")
    }
  }

  struct Redeem: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Redeems every voucher that this peer holds. A running peer does it by itself.")
    @OptionGroup var options: ChainOptions

    func run() async throws {
      let desk = try await Desk(options)
      let domain = SettlementDomain(
        chain: UInt256(desk.descriptor.chain), contract: desk.contract,
        verify: ChainSigner.verification)
      let vouchers = try options.data.open().vouchers(domain)
      guard !vouchers.isEmpty else { return print("no voucher is held") }
      for start in stride(from: 0, to: vouchers.count, by: ChannelContract.batchLimit) {
        let batch = Array(vouchers[start..<min(vouchers.count, start + ChannelContract.batchLimit)])
        let receipt = try await desk.sender.send(ChannelContract.redeem(desk.contract, batch))
        print("redeemed \(batch.count) in block \(receipt.block), \(receipt.gasUsed) gas")
      }
    }
  }

  private static func address(_ text: String) throws -> EthereumAddress {
    guard let address = EthereumAddress(text) else {
      throw ValidationError("\(text) is no account: 0x and 40 hexadecimal digits")
    }
    return address
  }
}
