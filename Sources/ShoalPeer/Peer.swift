// A peer, put together: a node over this machine's sockets, store and figures. What `shoal peer`
// runs, and what an app embeds.

import Foundation
import Logging
public import ShoalInference
public import ShoalLedger
public import ShoalNode
public import ShoalProtocol
public import ShoalSecurity
public import ShoalSystem

/// What a person may be told while a peer is made.
public enum PeerNote: Sendable {
  /// This machine's figures are taken, which takes some seconds.
  case measuring
  /// A bootstrap name has no address; the others still serve.
  case unresolved(AddressError)
}

/// A peer of one data directory.
///
/// ```swift
/// let peer = try await Peer(store: LocalStore(directory))
/// try await peer.running {
///   _ = try await peer.importModel(path: "stories.gguf", name: "stories")
///   _ = try await peer.generate("Once upon a time", with: "stories") { print($0) }
/// }
/// ```
public final class Peer: Sendable {
  /// Everything that a peer can be asked.
  public let node: Node
  public let network: NetworkDescriptor
  /// Where peers reach this one.
  public let endpoints: [Endpoint]

  /// Opens the sockets; the mesh hears of the peer when it runs.
  ///
  /// - Parameters:
  ///   - options: what it is to be like.
  ///   - store: of this peer alone while it runs.
  ///   - configure: changes what the node is made of: a chain's ledger, for one.
  ///   - note: told what takes a while, and what did not work and is no reason to stop.
  /// - Throws: `ListenError` where an address is taken, and what a damaged store throws.
  public init(
    _ options: PeerOptions = PeerOptions(), store: LocalStore,
    configure: (inout NodeConfiguration) throws -> Void = { _ in },
    note: @Sendable (PeerNote) -> Void = { _ in }
  ) async throws {
    network = try options.network ?? NetworkDescriptor.joined(store.documents) ?? .lan
    let profile: DeviceProfile
    if let played = options.profile {
      profile = played
    } else {
      profile = try await Assessment.storedProfile(in: store.documents) { note(.measuring) }
    }
    let sockets = try options.listen.map { try PeerSockets.open(listen: $0) } ?? .openUsual()
    endpoints = sockets.localEndpoints
    var configuration = NodeConfiguration(
      network: network, identity: store.identity,
      record: Peer.record(options, profile, store.identity, endpoints),
      resources: Peer.resources(options), bootstrap: Peer.addresses(network.bootstrap, note),
      waiting: options.profile == nil ? .adaptive : .sleep)
    configuration.publishers = options.publishers
    configuration.accounts = options.accounts
    configuration.audit = options.audit
    try configure(&configuration)
    let logger = options.logger
    let gateway = options.portMapping ? GatewaySocket.usual() : nil
    node = try Node(
      configuration,
      NodeSystem(
        datagrams: sockets.datagrams, streams: sockets.streams, blobs: store.library.blobs,
        documents: store.documents, logs: store.logs, clock: SystemClock(), random: Entropy(),
        threads: SystemThreads(), openModel: { try ModelFiles(path: $0) },
        journal: { logger.log($0) }, gateway: gateway))
    if let migration = store.migration {
      logger.notice(
        "the data directory was brought to a later version",
        metadata: [
          "from": .stringConvertible(Int(migration.from)),
          "to": .stringConvertible(Int(migration.to)),
          "names": .stringConvertible(migration.names),
        ])
    }
    logger.info(
      "peer started", metadata: ["peer": "\(store.identity.id)", "network": "\(network.name)"])
  }

  /// Takes part in the mesh until cancelled, or until `node.stop()`.
  public func run() async { await node.run() }

  /// Takes part in the mesh for as long as `body` takes.
  public func running<Result: Sendable>(
    _ body: @escaping @Sendable () async throws -> Result
  ) async throws -> Result {
    let node = node
    return try await withThrowingTaskGroup(of: Result?.self) { group in
      group.addTask {
        await node.run()
        return nil
      }
      group.addTask { try await body() }
      defer { node.stop() }
      while let finished = try await group.next() {
        if let result = finished { return result }
      }
      throw CancellationError()
    }
  }

  /// Brings a GGUF file or a Hugging Face directory of this machine into the mesh.
  public func importModel(path: String, name: String? = nil) async throws -> ModelEntry {
    try await node.importModel(path: path, name: name) { _, _ in }
  }

  /// Goes on with `prompt`, on whichever peers the plan gives it to.
  ///
  /// - Parameters:
  ///   - prompt: the text as it is: a template's marks are the caller's to set.
  ///   - model: a name, `publisher/name`, or the beginning of a model's id.
  ///   - options: how many tokens, and how they are chosen.
  ///   - each: called in order with whole characters, as they come; never waits.
  public func generate(
    _ prompt: String, with model: String,
    options: GenerationOptions = GenerationOptions(
      maximumTokens: 128, sampling: SamplingOptions()),
    each: @escaping @Sendable (String) -> Void
  ) async throws -> GenerationOutcome {
    try await node.generate(
      GenerationRequest(model: model, prompt: .text(prompt), options: options)
    ) { event in
      if case .token(let token) = event, !token.text.isEmpty { each(token.text) }
    }
  }

  // MARK: Parts

  private static func record(
    _ options: PeerOptions, _ profile: DeviceProfile, _ identity: PeerIdentity,
    _ endpoints: [Endpoint]
  ) -> CapabilityRecord {
    let isEmulated = options.profile != nil
    var record = CapabilityRecord(
      profile, peer: identity, isEmulated: isEmulated, endpoints: endpoints,
      memory: options.memory,
      // Peers of one host fail together, unless they only play other devices.
      host: isEmulated ? "" : ProcessInfo.processInfo.hostName)
    if options.relay ?? endpoints.contains(where: \.isGlobal) { record.services.insert(.relay) }
    return record
  }

  private static func resources(_ options: PeerOptions) -> ComputeResources {
    let cores = ProcessInfo.processInfo.activeProcessorCount
    return ComputeResources(
      kernels: Kernels(path: options.kernel ?? .best),
      threadsPerJob: max(1, options.threads ?? (options.profile == nil ? cores : 1)),
      emulated: options.profile)
  }

  private static func addresses(
    _ names: [String], _ note: (PeerNote) -> Void
  ) -> [Endpoint] {
    names.flatMap { name in
      do throws(AddressError) {
        return try Endpoint.resolve(name)
      } catch {
        note(.unresolved(error))
        return []
      }
    }
  }
}
