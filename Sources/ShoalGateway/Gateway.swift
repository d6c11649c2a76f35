// The gateway: HTTP in, token stream out. One route a file in Routes/.

public import Foundation
import Hummingbird
import HummingbirdCore
public import Logging
import NIOCore
public import ShoalNode
public import ShoalProtocol

/// Takes one job's spans: an `ExportTraceServiceRequest` of OTLP as JSON, without a line end.
public typealias TraceSink = @Sendable (Data) -> Void

/// Serves one node over HTTP (docs/INTERFACE.md).
public struct Gateway: Sendable {
  /// Bounds on what clients can make the gateway hold.
  public struct Bounds: Sendable {
    /// Generations at a time, those that wait in all, and those of one user that wait; further
    /// ones are answered with 503 and 429.
    public var admission = AdmissionQueue.Bounds(
      running: Limits.laneSlots, waiting: 256, waitingOfOne: 192)
    /// The same of jobs that make vectors: one alone fills the machine.
    public var texts = AdmissionQueue.Bounds(running: 1, waiting: 256, waitingOfOne: 192)
    /// Connections at a time; further ones wait to be accepted.
    public var connections = 2_048
    /// Connections that ask for nothing, and those from one address: the next one closes the one
    /// that has been silent longest.
    public var silent = 1_536
    public var silentFromOne = 1_280
    /// A connection that neither asks nor is being answered is closed after this many seconds.
    public var idleSeconds = 60

    public init() {}
  }

  private let node: any NodeService
  private let clock: any MeshClock
  private let address: Endpoint
  private let key: String?
  private let bounds: Bounds
  private let traces: TraceSink?
  private let logger: Logger

  /// - Parameters:
  ///   - address: where to listen; port 0 takes any that is free.
  ///   - traces: takes each job's spans when it has ended.
  ///   - logger: told of requests: method, path and status, never what is in them.
  ///   - key: demanded from clients as a bearer token. Nil is allowed on loopback only.
  public init(
    node: any NodeService, clock: any MeshClock, address: Endpoint, key: String? = nil,
    bounds: Bounds = Bounds(), traces: TraceSink? = nil,
    logger: Logger = Logger(label: "shoal") { _ in SwiftLogNoOpLogHandler() }
  ) throws(GatewayError) {
    guard address.isLoopback || !(key ?? "").isEmpty else { throw .keyRequired(address) }
    self.node = node
    self.clock = clock
    self.address = address
    self.key = key
    self.bounds = bounds
    self.traces = traces
    self.logger = logger
  }

  /// Serves until the task is cancelled.
  ///
  /// - Parameter onListening: told once where the gateway listens.
  /// - Throws: `GatewayError` where it cannot listen, `CancellationError` when cancelled.
  public func run(
    onListening: @escaping @Sendable (Endpoint) async -> Void = { _ in }
  ) async throws {
    // The server's own lines are about connections, which clients can break at will.
    var logger = logger
    logger.logLevel = .critical
    let address = address
    let silent = SilentClients(limit: bounds.silent, limitOfOne: bounds.silentFromOne)
    let application = Application(
      router: router(),
      server: HTTPServerBuilder { responder in
        ServedOrClosed(
          HTTP1Channel(
            responder: responder,
            configuration: .init(
              additionalChannelHandlers: [SilenceHandler(silent)],
              idleTimeout: .seconds(Int64(bounds.idleSeconds)))))
      },
      configuration: .init(
        address: .hostname(address.host, port: Int(address.port)),
        availableConnectionsDelegate: .maximum(bounds.connections, logger: logger)),
      onServerRunning: { channel in
        await onListening(address.bound(to: channel.localAddress?.port))
      },
      logger: logger)
    do {
      try await application.run()
    } catch let error as IOError {
      throw error.errnoCode == EADDRINUSE
        ? GatewayError.addressInUse(address)
        : GatewayError.cannotListen(address, code: error.errnoCode)
    }
    try Task.checkCancellation()
  }

  private func router() -> Router<BasicRequestContext> {
    let counters = Counters()
    let generating = Generating(
      node: node, clock: clock, admission: Admission(bounds.admission),
      texts: Admission(bounds.texts), counters: counters, traces: traces)
    let router = Router(context: BasicRequestContext.self)
    router.middlewares.add(AccessLog(logger: logger, clock: clock))
    router.middlewares.add(OneGeneration())
    router.middlewares.add(RefusalShape(counters: counters))
    router.middlewares.add(SiteGuard(isLoopback: address.isLoopback))
    router.middlewares.add(KeyCheck(key: key))
    DashboardRoute().add(to: router)
    HealthRoute().add(to: router)
    ReadyRoute(generating: generating).add(to: router)
    OpenAPIRoute().add(to: router)
    PeersRoute(node: node).add(to: router)
    JobsRoute(generating: generating).add(to: router)
    ModelsRoute(node: node).add(to: router)
    PlanRoute(node: node).add(to: router)
    RunRoute(generating: generating).add(to: router)
    ImportRoute(node: node).add(to: router)
    RegistryRoutes(node: node).add(to: router)
    CreditsRoutes(node: node).add(to: router)
    LeaveRoute(node: node).add(to: router)
    OpenAIModelsRoute(node: node).add(to: router)
    CompletionsRoute(generating: generating).add(to: router)
    ChatRoute(generating: generating).add(to: router)
    OllamaRoutes(generating: generating).add(to: router)
    EmbeddingsRoute(generating: generating).add(to: router)
    EmbedRoute(generating: generating).add(to: router)
    MetricsRoute(generating: generating).add(to: router)
    return router
  }
}

extension Endpoint {
  /// The address without port and brackets.
  var host: String {
    let text = description.dropLast("\(port)".count + 1)
    return text.hasPrefix("[") ? String(text.dropFirst().dropLast()) : String(text)
  }

  fileprivate func bound(to port: Int?) -> Endpoint {
    Endpoint(address: address, port: port.flatMap { UInt16(exactly: $0) } ?? self.port) ?? self
  }
}
