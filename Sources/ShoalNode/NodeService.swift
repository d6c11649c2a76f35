// The one door to a running node.

public import ShoalLedger
public import ShoalProtocol

/// What the gateway, the terminal and an embedding app ask of a node.
public protocol NodeService: Sendable {
  var peer: PeerID { get }

  /// Everybody who is known, this peer first.
  func peers() async -> [PeerStatus]

  func models() async throws -> [ModelStatus]

  /// The plan that a job would get now.
  ///
  /// - Parameter context: positions to reserve; nil: what the model was made for, at most 2,048.
  func plan(model: String, objective: PlanObjective, context: Int?) async throws -> PlannedModel

  /// What `request` comes to, with its prompt as tokens, without running it. Throws whatever makes
  /// it hopeless: afterwards an answer may begin.
  func prepare(_ request: GenerationRequest) async throws -> GenerationRequest

  /// Generates. `emit` is called in order and never waits. Cancelling the task ends the job.
  func generate(
    _ request: GenerationRequest, emit: @escaping @Sendable (GenerationEvent) -> Void
  ) async throws -> GenerationOutcome

  /// Makes a vector of each text. Cancelling the task ends the job.
  func embed(_ request: EmbeddingRequest) async throws -> EmbeddingOutcome

  /// Goes on with a job whose log this peer keeps; its id is the right to do so.
  ///
  /// - Parameter shown: tokens that the client has heard already.
  func resume(
    _ job: JobID, shown: Int, emit: @escaping @Sendable (GenerationEvent) -> Void
  ) async throws -> GenerationOutcome

  /// Clients reach this peer at `api` from now on.
  func serves(api: Endpoint)

  /// Brings a GGUF file or a Hugging Face directory of this machine into the mesh.
  func importModel(
    path: String, name: String?, progress: @escaping @Sendable (UInt64, UInt64) -> Void
  ) async throws -> ModelEntry

  /// Every name of the registry, retired ones included, by publisher and name.
  func registryEntries() async -> [ModelEntry]

  /// What happens to names from now on.
  func registryEvents() async -> AsyncStream<RegistryEvent>

  /// Says to the mesh that `name` stands for a model that some name stands for already.
  ///
  /// - Parameters:
  ///   - model: as in `GenerationRequest`.
  ///   - location: where else it can be had; may be empty.
  func publish(model: String, name: String, location: String) async throws -> ModelEntry

  /// Says to the mesh that this peer no longer offers a model under `name`.
  func retire(name: String) async throws -> ModelEntry

  /// Who did what and what it earned; nil where this peer takes part in no ledger.
  func credits() async -> CreditsReport?

  /// Asks a payer, or all, to agree that what it promised to this peer is settled. Whether it
  /// agreed, `credits` shows a moment later.
  ///
  /// - Returns: how many were asked.
  func settle(_ payer: PeerID?) async throws -> Int

  /// Drains and says goodbye: takes no more jobs, hands what it computes for others over at the
  /// next step of each, lets its own jobs end, waits until others hold what it holds, as often as
  /// the mesh keeps copies, and leaves. It answers questions until `stop`.
  func leave(progress: @escaping @Sendable (LeaveProgress) -> Void) async

  /// Ends this peer's part in the mesh.
  func stop()
}
