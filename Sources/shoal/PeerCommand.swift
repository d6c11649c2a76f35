// `shoal peer`: runs a peer until it is told to stop.

import ArgumentParser
import Foundation
import ShoalEthereum
import ShoalGateway
import ShoalNode
import ShoalPeer
import ShoalProtocol
import ShoalSecurity
import ShoalSystem

struct PeerCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "peer", abstract: "Runs a peer; with no flag at all it joins the LAN mesh.",
    discussion: "What a flag leaves open is taken from the environment, then from config.toml in"
      + " the data directory: `shoal config show` says what comes from where.")

  @OptionGroup var flags: PeerFlags
  @OptionGroup var data: DataDirectory

  func run() async throws {
    MachineLimits.raiseOpenFiles()
    let store = try data.open()
    let settings = try flags.settings(in: store)
    let options = try PeerOptions(settings)
    defer { LogOutput.standardError.flush() }
    let peer = try await Peer(
      options, store: store, configure: { try $0.followChain(store) },
      note: { PeerCommand.tell($0) })
    try warnOnce(peer.network, store)
    let signals = SignalStream()
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { await peer.run() }
      group.addTask { try await serveAPI(peer, store, settings, options) }
      group.addTask {
        for await _ in signals.signals { break }
        await peer.node.depart()
      }
      try await group.next()
      group.cancelAll()
    }
    try? store.documents.remove(PeerCommand.addressDocument)
  }

  /// Holds the address of the API while a peer runs on this data directory.
  static let addressDocument = "api"

  private static func tell(_ note: PeerNote) {
    switch note {
    case .measuring: Terminal.printError("measuring this device for a few seconds")
    case .unresolved(let error): Terminal.printError("bootstrap \(error)")
    }
  }

  /// Who joins an open network is told once what that means.
  private func warnOnce(_ network: NetworkDescriptor, _ store: LocalStore) throws {
    let document = "warned-\(network.id)"
    guard let warning = network.warning, try store.documents.read(document) == nil else { return }
    Terminal.printError(warning)
    try store.documents.write(document, [], isSecret: false)
  }

  // MARK: API

  private func serveAPI(
    _ peer: Peer, _ store: LocalStore, _ settings: PeerSettings, _ options: PeerOptions
  ) async throws {
    let node = peer.node
    let mesh = peer.endpoints.map(\.description).joined(separator: ", ")
    let announce: @Sendable (Endpoint) -> Void = { address in
      node.serves(api: address)
      try? store.documents.write(
        PeerCommand.addressDocument, Array("\(address)".utf8), isSecret: false)
      Terminal.write(
        "peer \(node.peer) of network \(peer.network.name) on \(mesh)\napi http://\(address)\n")
    }
    let key = ProcessInfo.processInfo.environment["SHOAL_API_KEY"]
    let sink = try settings[.traces].map { try TraceFile.sink(appendingTo: $0.text) }
    let serve = { (address: Endpoint) in
      try await Gateway(
        node: node, clock: SystemClock(), address: address, key: key, traces: sink,
        logger: options.logger
      )
      .run(onListening: announce)
    }
    if let address = try settings.endpoint(.api) { return try await serve(address) }
    guard let usual = Endpoint("127.0.0.1:7434"), let any = Endpoint("127.0.0.1:0") else {
      preconditionFailure("two addresses that can be read")
    }
    do {
      try await serve(usual)
    } catch GatewayError.addressInUse {
      try await serve(any)
    }
  }
}
