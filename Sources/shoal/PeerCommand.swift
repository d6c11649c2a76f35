// `shoal peer`: runs a peer until it is told to stop.

import ArgumentParser
import Foundation
import ShoalEthereum
import ShoalGateway
import ShoalInference
import ShoalLedger
import ShoalNode
import ShoalProtocol
import ShoalSecurity
import ShoalSystem

struct PeerCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "peer", abstract: "Runs a peer; with no flag at all it joins the LAN mesh.")

  @Option(
    help: "lan, a descriptor file or an invite (default: what `shoal net join` kept, or lan).")
  var network: String?
  @Option(help: "Where peers reach this one (default: port 7432 of all addresses).")
  var listen: String?
  @Option(help: "Where clients reach it (default: 127.0.0.1:7434, or a free port).")
  var api: String?
  @Option(help: "A device profile to keep to, such as Peers/raspberry-pi-5.toml.")
  var profile: String?
  @Option(help: "Memory that Shoal may use, such as 6GiB.") var memory: MemorySize?
  @Option(help: "Threads of one job (default: one for each core).") var threads: Int?
  @Option(help: "Force a kernel path: avx512, avx2, neon or reference; the bits stay the same.")
  var kernel: String?
  @Option(help: "Append each job's spans to this file, one OTLP/JSON object on each line.")
  var traces: String?
  @Option(
    help: """
      Whose models to store and compute with: all, own, or full ids of peers and accounts of a \
      chain, with commas.
      """)
  var publishers = "all"
  @Option(help: "The largest model of others to store a part of, such as 40GiB.")
  var largestModel: MemorySize?
  @OptionGroup var account: AccountOptions
  @OptionGroup var data: DataDirectory

  func run() async throws {
    let store = try data.open()
    let network = try networkDescriptor(store)
    try warnOnce(network, store)
    let device = try await device(store)
    let sockets = try openSockets()
    let node = try Node(
      try configuration(store, network, device, sockets), PeerCommand.system(store, sockets))
    let signals = SignalStream()
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { await node.run() }
      group.addTask { try await serveAPI(node, store, network, sockets) }
      group.addTask {
        for await _ in signals.signals { break }
        await node.depart()
      }
      try await group.next()
      group.cancelAll()
    }
    try? store.documents.remove(PeerCommand.addressDocument)
  }

  /// Holds the address of the API while a peer runs on this data directory.
  static let addressDocument = "api"

  // MARK: Parts

  private func networkDescriptor(_ store: LocalStore) throws -> NetworkDescriptor {
    if let network {
      let source = try NetworkSource(network)
      try source.check(at: .now())
      return source.network
    }
    return try NetworkDescriptor.joined(store.documents) ?? .lan
  }

  /// Who joins an open network is told once what that means.
  private func warnOnce(_ network: NetworkDescriptor, _ store: LocalStore) throws {
    let document = "warned-\(network.id)"
    guard let warning = network.warning, try store.documents.read(document) == nil else { return }
    Terminal.printError(warning)
    try store.documents.write(document, [], isSecret: false)
  }

  private struct Device {
    let profile: DeviceProfile
    let isEmulated: Bool
  }

  private func device(_ store: LocalStore) async throws -> Device {
    if let profile {
      return Device(profile: try DeviceProfile(file: profile), isEmulated: true)
    }
    let own = try await Assessment.storedProfile(in: store.documents) {
      Terminal.printError("measuring this device for a few seconds")
    }
    return Device(profile: own, isEmulated: false)
  }

  /// The usual port, or where that is taken and nobody asked for it, any.
  private func openSockets() throws -> PeerSockets {
    if let listen {
      guard let endpoint = Endpoint(listen) else {
        throw ValidationError("--listen is an address and a port, such as 0.0.0.0:7432")
      }
      return try PeerSockets.open(listen: endpoint)
    }
    guard let usual = Endpoint("0.0.0.0:7432"), let any = Endpoint("0.0.0.0:0") else {
      preconditionFailure("two addresses that can be read")
    }
    do throws(ListenError) {
      return try PeerSockets.open(listen: usual)
    } catch {
      guard case .addressInUse = error else { throw error }
      return try PeerSockets.open(listen: any)
    }
  }

  private func configuration(
    _ store: LocalStore, _ network: NetworkDescriptor, _ device: Device, _ sockets: PeerSockets
  ) throws -> NodeConfiguration {
    let cores = ProcessInfo.processInfo.activeProcessorCount
    var configuration = NodeConfiguration(
      network: network, identity: store.identity,
      record: CapabilityRecord(
        device.profile, peer: store.identity, isEmulated: device.isEmulated,
        endpoints: sockets.localEndpoints, memory: memory?.bytes, host: hostName),
      resources: ComputeResources(
        kernels: Kernels(path: try KernelPath.named(kernel)),
        threadsPerJob: max(1, threads ?? (device.isEmulated ? 1 : cores)),
        emulated: device.isEmulated ? device.profile : nil),
      bootstrap: PeerCommand.addresses(network.bootstrap),
      waiting: device.isEmulated ? .sleep : .adaptive)
    configuration.publishers = PublisherPolicy(
      allowed: try PeerCommand.publishers(publishers), modelLimit: largestModel?.bytes.bytes)
    configuration.accounts = try account.terms()
    if let ledger = network.ledger, ledger.backend == ChainLedger.backend {
      try configuration.follow(ChainDescriptor(settings: ledger.settings), store)
    }
    return configuration
  }

  /// Nil: everybody.
  private static func publishers(_ text: String) throws -> Set<PeerID>? {
    switch text {
    case "all": return nil
    case "own": return []
    case _: break
    }
    return Set(
      try text.split(separator: ",").map { part in
        let text = part.trimmingCharacters(in: .whitespaces)
        guard let id = Bytes32(hex: text) ?? EthereumAddress(text)?.word else {
          throw ValidationError(
            "--publishers is all, own, or ids of 64 hexadecimal digits and accounts, with commas;"
              + " \(text) is none"
          )
        }
        return PeerID(id)
      })
  }

  /// Every address of every name; a name that has none is said, and the others still serve.
  private static func addresses(_ names: [String]) -> [Endpoint] {
    names.flatMap { name in
      do throws(AddressError) {
        return try Endpoint.resolve(name)
      } catch {
        Terminal.printError("bootstrap \(error)")
        return []
      }
    }
  }

  /// Peers of one host fail together, unless they only play other devices.
  private var hostName: String { profile == nil ? ProcessInfo.processInfo.hostName : "" }

  private static func system(_ store: LocalStore, _ sockets: PeerSockets) -> NodeSystem {
    NodeSystem(
      datagrams: sockets.datagrams, streams: sockets.streams, blobs: store.library.blobs,
      documents: store.documents, logs: store.logs, clock: SystemClock(), random: Entropy(),
      threads: SystemThreads(), openModel: { try ModelFiles(path: $0) })
  }

  // MARK: API

  private func serveAPI(
    _ node: Node, _ store: LocalStore, _ network: NetworkDescriptor, _ sockets: PeerSockets
  ) async throws {
    let mesh = sockets.localEndpoints.map(\.description).joined(separator: ", ")
    let announce: @Sendable (Endpoint) -> Void = { address in
      node.serves(api: address)
      try? store.documents.write(
        PeerCommand.addressDocument, Array("\(address)".utf8), isSecret: false)
      Terminal.write(
        "peer \(node.peer) of network \(network.name) on \(mesh)\napi http://\(address)\n")
    }
    let key = ProcessInfo.processInfo.environment["SHOAL_API_KEY"]
    let sink = try traces.map { try TraceFile.sink(appendingTo: $0) }
    if let api {
      guard let address = Endpoint(api) else {
        throw ValidationError("--api is an address and a port, such as 127.0.0.1:7434")
      }
      return try await Gateway(
        node: node, clock: SystemClock(), address: address, key: key, traces: sink
      )
      .run(onListening: announce)
    }
    guard let usual = Endpoint("127.0.0.1:7434"), let any = Endpoint("127.0.0.1:0") else {
      preconditionFailure("two addresses that can be read")
    }
    do {
      try await Gateway(node: node, clock: SystemClock(), address: usual, key: key, traces: sink)
        .run(onListening: announce)
    } catch GatewayError.addressInUse {
      try await Gateway(node: node, clock: SystemClock(), address: any, key: key, traces: sink)
        .run(onListening: announce)
    }
  }
}

extension CapabilityRecord {
  /// What a device's profile makes its peer say.
  init(
    _ profile: DeviceProfile, peer: PeerIdentity, isEmulated: Bool, endpoints: [Endpoint],
    memory: ByteCount?, host: String
  ) {
    let decode = profile.decodeBytesPerSecond
    self.init(
      peer: peer.id, version: 1, handshakeKey: peer.staticKey.key.raw,
      endpoints: Array(endpoints.prefix(Limits.endpointsPerPeer)),
      // A machine that plays itself is known by its own name.
      profile: host.isEmpty ? profile.id : String(host.prefix(48)),
      emulationFactor: isEmulated ? profile.emulationPerMille : 0,
      failureDomain: String(host.prefix(48)), clique: profile.link.outside?.clique ?? "",
      latencyPriorMicroseconds: profile.link.latencyPriorMicroseconds,
      memory: MemoryFigures(total: profile.memory, usable: memory ?? profile.usableMemory),
      compute: ComputeFigures(
        cores: UInt16(clamping: ProcessInfo.processInfo.activeProcessorCount),
        kernels: KernelClasses(KernelPath.available),
        matrixVector: WeightThroughput(
          f32: BucketedFigure(decode.f32), f16: BucketedFigure(decode.f16),
          q8: BucketedFigure(decode.q8_0), q4: BucketedFigure(decode.q4_0)),
        matrixMatrix: BucketedFigure(profile.prefillOperationsPerSecond)),
      linkBandwidth: BucketedFigure(profile.link.bytesPerSecond),
      linkLatencyMicroseconds: UInt32(clamping: profile.link.latencyMicroseconds),
      outsideLatencyMicroseconds: UInt32(clamping: profile.link.outside?.latencyMicroseconds ?? 0),
      outsideBandwidth: BucketedFigure(profile.link.outside?.bytesPerSecond ?? 0),
      disk: profile.disk)
  }
}

extension KernelPath {
  /// The path that a person names; the fastest where nobody does.
  static func named(_ name: String?) throws -> KernelPath {
    guard let name else { return .best }
    guard let path = KernelPath(rawValue: name) else {
      throw ValidationError(
        "--kernel is one of \(allCases.map(\.rawValue).joined(separator: ", "))")
    }
    guard path.isAvailable else {
      throw UserError(
        "this machine cannot run \(name) kernels; it has "
          + available.map(\.rawValue).joined(separator: ", "))
    }
    return path
  }
}

extension KernelClasses {
  init(_ paths: [KernelPath]) {
    self = []
    for path in paths {
      switch path {
      case .avx512: formUnion([.avx512, .avx512VNNI])
      case .avx2: formUnion(.avx2)
      case .neon: formUnion([.neon, .neonDotProduct])
      case .reference: break
      }
    }
  }
}
