// `shoal registry`: names of models across the mesh, and what happens to them.

import ArgumentParser
import ShoalGateway
import ShoalLedger
import ShoalNode
import ShoalPeer
import ShoalProtocol
import ShoalSecurity

struct RegistryCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "registry",
    abstract: "Shows, changes and watches which names stand for which models.",
    subcommands: [List.self, Publish.self, Retire.self, Watch.self], defaultSubcommand: List.self)

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Lists every name, retired ones included.")
    @Flag(help: "Print facts as JSON.") var json = false
    @OptionGroup var peer: RunningPeer

    func run() async throws {
      let entries: [RegistryFacts]
      if let client = try await peer.client() {
        entries = try await client.registry()
      } else {
        entries = try peer.data.open().registry().all.map { RegistryFacts($0) }
      }
      if json { return try JSONOutput.print(entries) }
      if entries.isEmpty { print("no names yet: `shoal import FILE` publishes one") }
      for entry in entries { print(entry.line) }
    }
  }

  struct Publish: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Says to the mesh that a name stands for a model.",
      discussion: "The model is one that some name of the registry stands for already.")
    @Argument(help: "A name, PUBLISHER/NAME, or the beginning of a model's id.")
    var model: String
    @Option(help: "What to call it (default: the name that was given).") var name: String?
    @Option(help: "Where else it can be had, such as hf:ORG/REPO.") var location: String?
    @Flag(help: "By a transaction on the chain of the network's ledger.") var onChain = false
    @Flag(help: "Print facts as JSON.") var json = false
    @OptionGroup var peer: RunningPeer

    func run() async throws {
      if onChain {
        let known = try await self.known()
        let desk = try await RegistryDesk(peer.data)
        return print(
          try await desk.publish(
            name: name ?? known.name, model: known.model, location: location ?? ""))
      }
      let facts: RegistryFacts
      if let client = try await peer.client() {
        facts = try await client.publish(
          PublishRequest(model: model, name: name, location: location))
      } else {
        let store = try peer.data.open()
        guard let known = try store.registry().resolve(model, own: store.identity.id) else {
          throw UserError("no model named \(model): `shoal import FILE` brings one in")
        }
        facts = RegistryFacts(
          try store.registryLog().register(
            name: name ?? model, model: known.model, byteCount: known.byteCount,
            location: location ?? "", now: store.now))
      }
      if json { return try JSONOutput.print(facts) }
      print(facts.line)
    }

    /// The model that is meant, as some name of the registry, or this store, has it.
    private func known() async throws -> (name: String, model: ModelID) {
      if let client = try await peer.client() {
        let named = try await client.registry().first {
          !$0.isRetired && ($0.name == model || $0.model.hasPrefix(model) && model.count >= 8)
        }
        if let named, let id = Bytes32(hex: named.model) { return (named.name, ModelID(id)) }
      }
      let store = try peer.data.open()
      guard let entry = try store.registry().resolve(model, own: store.identity.id) else {
        throw UserError("no model named \(model): `shoal import FILE` brings one in")
      }
      return (entry.name, entry.model)
    }
  }

  struct Retire: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Says to the mesh that this peer no longer offers a model.")
    @Argument(help: "A name that this peer published.") var name: String
    @Flag(help: "By a transaction on the chain of the network's ledger.") var onChain = false
    @Flag(help: "Print facts as JSON.") var json = false
    @OptionGroup var peer: RunningPeer

    func run() async throws {
      if onChain { return print(try await RegistryDesk(peer.data).retire(name: name)) }
      let facts: RegistryFacts
      if let client = try await peer.client() {
        facts = try await client.retire(RetireRequest(name: name))
      } else {
        let store = try peer.data.open()
        facts = RegistryFacts(try store.registryLog().retire(name: name, now: store.now))
      }
      if json { return try JSONOutput.print(facts) }
      print(facts.line)
    }
  }

  struct Watch: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Shows what happens to names, as the peer here hears of it, until interrupted.")
    @Flag(help: "Print each event as one line of JSON.") var json = false
    @OptionGroup var peer: RunningPeer

    func run() async throws {
      try await peer.required().watchRegistry { event in
        if json { return Terminal.write(try JSONOutput.text(event) + "\n") }
        Terminal.write("\(event.stage.rawValue)  \(event.change.rawValue)  \(event.entry.line)\n")
      }
    }
  }
}

extension RegistryFacts {
  /// One line for a person.
  fileprivate var line: String {
    let state = isRetired ? "retired" : "\(ByteCount(bytes))"
    let place = location.isEmpty ? "" : "  \(location)"
    return
      "\(publisher.prefix(8))/\(name)  revision \(revision)  \(model.prefix(8))  \(state)\(place)"
  }
}
