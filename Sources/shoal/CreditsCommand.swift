// `shoal credits`: who did what, and what it earned.

import ArgumentParser
import ShoalGateway

struct CreditsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "credits", abstract: "Shows who did what for whom, and what it earned.",
    subcommands: [Show.self, Settle.self], defaultSubcommand: Show.self)

  struct Show: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Shows what this peer earned and spent, by peer and by model.")
    @Flag(help: "Print facts as JSON.") var json = false
    @OptionGroup var peer: RunningPeer

    func run() async throws {
      let facts = try await peer.required().credits()
      if json { return try JSONOutput.print(facts) }
      print("earned \(facts.earned), spent \(facts.spent)", terminator: "")
      print("; asks \(facts.asks) and pays up to \(facts.pays) for 2^20 multiply-accumulates")
      for line in facts.lines { print(line) }
      for peer in facts.barred { print("\(peer.prefix(8)) was caught and is hired no more") }
      if let trouble = facts.trouble { print("accounts cannot be kept: \(trouble)") }
    }
  }

  struct Settle: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Asks a payer, or all, to agree that what it promised is settled.",
      discussion: "However it was settled: by work the other way, by money, by goodwill.")
    @Argument(help: "The full id of a peer (default: everybody who promised anything).")
    var payer: String?
    @OptionGroup var peer: RunningPeer

    func run() async throws {
      let asked = try await peer.required().settle(SettleRequest(peer: payer)).asked
      print(
        asked == 0 ? "nobody owes anything" : "asked \(asked); `shoal credits` shows who agreed")
    }
  }
}

extension CreditsFacts {
  fileprivate var lines: [String] {
    guard !accounts.isEmpty else { return ["no work was paid yet"] }
    var table = TextTable(
      ["PEER", "", "PROMISED", "OWED", "SETTLED", "MODEL", "TOKENS", "WORK UNITS", "PAY"],
      numbers: [2, 3, 4, 6, 7, 8])
    for account in accounts {
      let own = [
        String(account.peer.prefix(8)), account.side == .earns ? "pays" : "is paid",
        account.promised, account.owed, account.settled,
      ]
      let work = account.work.map(\.cells)
      table.add(own + (work.first ?? ["", "", "", ""]))
      for cells in work.dropFirst() { table.add(["", "", "", "", ""] + cells) }
    }
    return table.lines
  }
}

extension CreditsFacts.Work {
  fileprivate var cells: [String] {
    [String(model.prefix(8)), "\(tokens)", "\(workUnits)", pay]
  }
}
