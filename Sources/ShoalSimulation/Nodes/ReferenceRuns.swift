// What one peer alone says: the same engine on one rank, without a network.

internal import ShoalInference
internal import ShoalNode
internal import ShoalProtocol
private import Synchronization

/// Runs requests on one rank.
struct ReferenceRuns {
  struct Said: Sendable {
    let tokens: [UInt32]
    /// With the token that ends the text, where there is one.
    let all: [UInt32]
    let digest: Bytes32
  }

  private let world: NodeWorld
  private let threads: VirtualThreads
  private let clock: VirtualClock
  private var opened: (library: ModelLibrary, manifest: ModelManifest, tokenizer: Tokenizer)?

  init(world: NodeWorld, director: LoopOwner) {
    self.world = world
    clock = VirtualClock(
      loop: world.loop, local: LocalClock(origin: Moment(nanoseconds: 0), drift: 0, wall: 0))
    threads = VirtualThreads(owner: director, clock: clock)
  }

  mutating func run(_ request: GenerationRequest) async throws -> Said {
    let (library, manifest, tokenizer) = try open()
    guard case .tokens(let prompt) = request.prompt else {
      preconditionFailure("stories ask in tokens")
    }
    let said = Mutex<[UInt32]>([])
    let chooser = try TokenChooser(
      options: request.options, tokenizer: tokenizer, prompt: prompt,
      emit: { token in said.withLock { $0.append(token.token) } })
    let ranks = LocalRanks(
      manifest: manifest, shares: [.whole(manifest.cut)], threadsPerRank: 1, kernels: Kernels(),
      clock: clock, threads: threads)
    _ = try await ranks.run(
      GenerationOrder(prompt: prompt, options: request.options, manifest: manifest),
      blob: { try library.atom($0) }, choose: { try chooser.choose($0, $1) })
    return Said(
      tokens: chooser.tokens, all: said.withLock { $0 }, digest: chooser.digest)
  }

  private mutating func open() throws -> (ModelLibrary, ModelManifest, Tokenizer) {
    if let opened { return opened }
    let library = ModelLibrary(blobs: VirtualDisk(room: .gibibytes(1)))
    let model = try library.importModel(
      .gguf(MemoryByteSource(name: "oracle.gguf", bytes: world.model)), progress: { _, _ in })
    let manifest = try library.manifest(model)
    let tokenizer = try library.tokenizer(manifest)
    opened = (library, manifest, tokenizer)
    return (library, manifest, tokenizer)
  }
}
