// The flags of a peer: one for each setting (`PeerSetting`), as text, so that a flag, a variable
// and a line of config.toml are read by the same rules.

import ArgumentParser
import Foundation
import ShoalPeer

struct PeerFlags: ParsableArguments {
  @Option(
    help: "lan, a descriptor file or an invite (default: what `shoal net join` kept, or lan).")
  var network: String?
  @Option(help: "Where peers reach this one (default: port 7432 of all addresses).")
  var listen: String?
  @Option(help: "Where clients reach it (default: 127.0.0.1:7434, or a free port).")
  var api: String?
  @Option(help: "A device profile to keep to, such as Peers/raspberry-pi-5.toml.")
  var profile: String?
  @Option(help: "Memory that Shoal may use, such as 6GiB.") var memory: String?
  @Option(help: "Threads of one job (default: one for each core).") var threads: String?
  @Option(help: "Force a kernel path: avx512, avx2, neon or reference; the bits stay the same.")
  var kernel: String?
  @Option(help: "Append each job's spans to this file, one OTLP/JSON object on each line.")
  var traces: String?
  @Option(help: "How lines of the log on standard error look: text or json (default: text).")
  var log: String?
  @Option(
    help: ArgumentHelp(
      "The least that is logged: trace, debug, info, notice, warning, error or critical (default:"
        + " notice)."))
  var logLevel: String?
  @Option(
    help: ArgumentHelp(
      "Whose models to store and compute with: all, own, or full ids of peers and accounts of a"
        + " chain, with commas"
        + " (default: all)."))
  var publishers: String?
  @Option(help: "The largest model of others to store a part of, such as 40GiB.")
  var largestModel: String?
  @Flag(
    inversion: .prefixedNo,
    help: ArgumentHelp(
      "Carry streams between peers that cannot reach each other (default: with a public address)."))
  var relay: Bool?
  @Flag(
    inversion: .prefixedNo,
    help: ArgumentHelp(
      "Ask the router to let other peers in, by PCP or NAT-PMP (default: it is not asked)."))
  var portMapping: Bool?

  @Option(
    help: ArgumentHelp(
      "Credits (wei, where the network's ledger is a chain) that it asks, and pays at most, for"
        + " 2^20 multiply-accumulates (default: it keeps no accounts)."))
  var price: String?
  @Option(help: "Credits that it pays at most for the same (default: as --price).")
  var pays: String?
  @Option(help: "Credits that it lends to each payer, beyond what is settled.")
  var credit: String?
  @Option(help: "Credits that it is ready to owe to each payee, beyond what is settled.")
  var budget: String?
  @Option(help: "Credits of work that may wait for a voucher.") var window: String?
  @Option(
    help: ArgumentHelp(
      "Recompute a part of what another peer says in one step of so many; 0: never (default: 64"
        + " where anybody may join or accounts are kept, else 0)."))
  var audit: String?

  /// These, then the environment, then config.toml.
  func settings(in store: LocalStore) throws -> PeerSettings {
    try PeerSettings(flags: given, environment: ProcessInfo.processInfo.environment, in: store)
  }

  private var given: [PeerSetting: String] {
    let values: [PeerSetting: String?] = [
      .network: network, .listen: listen, .api: api, .profile: profile, .memory: memory,
      .threads: threads, .kernel: kernel, .traces: traces, .log: log, .logLevel: logLevel,
      .publishers: publishers,
      .largestModel: largestModel, .relay: relay.map { "\($0)" },
      .portMapping: portMapping.map { "\($0)" }, .price: price, .pays: pays,
      .credit: credit, .budget: budget, .window: window, .audit: audit,
    ]
    return values.compactMapValues(\.self)
  }
}
