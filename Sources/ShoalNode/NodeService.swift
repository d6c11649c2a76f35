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

  /// Generates. `emit` is called in order and never waits. Cancelling the task ends the job.
  func generate(
    _ request: GenerationRequest, emit: @escaping @Sendable (GenerationEvent) -> Void
  ) async throws -> GenerationOutcome

  /// Brings a GGUF file of this machine into the mesh.
  func importModel(
    path: String, name: String?, progress: @escaping @Sendable (UInt64, UInt64) -> Void
  ) async throws -> ModelEntry

  /// Says goodbye to the mesh.
  func leave() async
}
