// A node that does what a test tells it, without a mesh.

import ShoalGateway
import ShoalInference
import ShoalLedger
import ShoalNode
import ShoalProtocol
import Synchronization

/// Moves on by a millisecond at each look.
final class StepClock: MeshClock {
  private let milliseconds = Mutex<Int64>(0)

  func now() -> Moment {
    Moment(
      nanoseconds: 1_000_000
        * milliseconds.withLock { count in
          count += 1
          return count
        })
  }
  func sleep(until deadline: Moment) async throws { try Task.checkCancellation() }
  func unixMilliseconds() -> UInt64 { 1_700_000_000_000 }
}

extension Bytes32 {
  static func repeated(_ byte: UInt8) -> Bytes32 {
    Bytes32([UInt8](repeating: byte, count: 32)) ?? .zero
  }
}

/// Answers prompts with the tokens 0, 1, 2 ... and the text "word0 word1 word2 ...".
final class FakeNode: NodeService {
  enum Behaviour: Sendable {
    case answers
    /// Waits for its cancellation after the first token.
    case hangs
    /// The same, after naming a witness.
    case hangsBefore(Endpoint)
    case fails(any Error & Sendable)
    /// These pieces of text, whatever is asked, and that the model ended.
    case says([String])
    /// Before anything runs.
    case refuses(any Error & Sendable)
    /// Tells more events at once than any client reads.
    case floods
  }

  static let entry = ModelEntry(
    publisher: PeerID(.repeated(1)), name: "tiny", revision: 1, model: ModelID(.repeated(2)),
    byteCount: 1_000, isRetired: false, written: 1_600_000_000_000)
  static let planID = PlanID(.repeated(4))
  static let digest = Bytes32.repeated(5)
  static let jobID = JobID(.repeated(6))

  let peer = PeerID(.repeated(1))
  private let behaviour: Behaviour
  private let asked = Mutex<[GenerationRequest]>([])
  private let embedded = Mutex<[EmbeddingRequest]>([])
  private let left = Mutex(false)
  /// Yields once a job that hangs was cancelled.
  let cancelled = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))

  init(_ behaviour: Behaviour = .answers) { self.behaviour = behaviour }

  var requests: [GenerationRequest] { asked.withLock { $0 } }
  var embeddingRequests: [EmbeddingRequest] { embedded.withLock { $0 } }
  var hasLeft: Bool { left.withLock { $0 } }

  func peers() async -> [PeerStatus] {
    let rate = WeightThroughput(f32: 1, f16: 1, q8: 1, q4: 1)
    let record = CapabilityRecord(
      peer: peer, version: 7, handshakeKey: .repeated(8), endpoints: [], profile: "desktop",
      memory: MemoryFigures(total: .gibibytes(2), usable: .gibibytes(1)),
      compute: ComputeFigures(cores: 4, matrixVector: rate))
    return [
      PeerStatus(
        peer: peer, isSelf: true, state: .alive, record: record,
        address: Endpoint("192.0.2.1:7433"), roundTrip: .microseconds(1_500))
    ]
  }

  func models() async throws -> [ModelStatus] {
    [ModelStatus(entry: Self.entry, held: 3, atoms: 9)]
  }

  func plan(
    model: String, objective: PlanObjective, context: Int?
  ) async throws -> PlannedModel {
    guard model == "tiny" else { throw NodeError.unknownModel(model, known: ["tiny"]) }
    return PlannedModel(
      entry: Self.entry, manifest: .tiny, report: .tiny(objective, context: context ?? 2_048),
      plan: Self.planID, view: ViewID(.repeated(3)), duration: .milliseconds(2))
  }

  func prepare(_ request: GenerationRequest) async throws -> GenerationRequest {
    guard request.model == "tiny" else {
      throw NodeError.unknownModel(request.model, known: ["tiny"])
    }
    if case .refuses(let error) = behaviour { throw error }
    return request
  }

  /// A text becomes (its number, its tokens, 0.1), a token a letter.
  func embed(_ request: EmbeddingRequest) async throws -> EmbeddingOutcome {
    if case .fails(let error) = behaviour { throw error }
    embedded.withLock { $0.append(request) }
    let counts = request.texts.map { text in
      switch text {
      case .text(let text): text.utf8.count
      case .tokens(let tokens): tokens.count
      }
    }
    return EmbeddingOutcome(
      counts.enumerated().map {
        TextVector(hash: .repeated(UInt8($0)), values: [Float($0), Float($1), 0.1])
      }, tokenCounts: counts, truncated: [], plan: Self.planID,
      members: [JobMember(peer: peer, sharePerMille: 1_000)], terms: 1)
  }

  func generate(
    _ request: GenerationRequest, emit: @escaping @Sendable (GenerationEvent) -> Void
  ) async throws -> GenerationOutcome {
    asked.withLock { $0.append(request) }
    let prompt: [UInt32] =
      switch request.prompt {
      case .text(let text): text.utf8.map { UInt32($0) }
      case .tokens(let ids): ids
      case .chat(let turns): turns.flatMap { $0.content.utf8.map { UInt32($0) } }
      }
    if case .fails(let error) = behaviour { throw error }
    emit(.fetching(peer, remaining: ByteCount(UInt64(10)), total: ByteCount(UInt64(30))))
    emit(
      .started(
        job: Self.jobID, model: Self.entry, plan: Self.planID,
        members: [JobMember(peer: peer, sharePerMille: 1_000)], promptTokens: prompt))
    switch behaviour {
    case .answers, .fails, .refuses, .says: break
    case .hangs, .hangsBefore:
      if case .hangsBefore(let witness) = behaviour { emit(.witnesses([witness])) }
      emit(.token(GeneratedToken(token: 0, text: "word0 ", logits: [], cost: .zero)))
      for await _ in AsyncStream<Never>.makeStream().stream {}
      cancelled.continuation.yield()
      throw CancellationError()
    case .floods:
      for _ in 0..<20_000 {
        emit(.token(GeneratedToken(token: 0, text: "word0 ", logits: [], cost: .zero)))
      }
    }
    var words = (0..<request.options.maximumTokens).map { "word\($0) " }
    var finish = FinishReason.length
    if case .says(let pieces) = behaviour { (words, finish) = (pieces, .stop) }
    for (index, word) in words.enumerated() {
      let probability = request.options.topLogprobs.map { Self.probability(of: word, $0) }
      emit(
        .token(
          GeneratedToken(
            token: UInt32(index), text: word, logits: [], cost: .zero, probability: probability)))
    }
    return GenerationOutcome(
      tokens: words.indices.map { UInt32($0) }, text: words.joined(), finish: finish,
      digest: Self.digest)
  }

  private static func probability(of word: String, _ alternatives: Int) -> TokenProbability {
    let entry = { (word: String, logprob: Double) in
      TokenProbability.Alternative(token: 1, bytes: Array(word.utf8), logprob: logprob)
    }
    return TokenProbability(
      chosen: entry(word, -0.5),
      top: (0..<alternatives).map { entry("other\($0)", -Double($0)) })
  }

  func resume(
    _ job: JobID, shown: Int, emit: @escaping @Sendable (GenerationEvent) -> Void
  ) async throws -> GenerationOutcome {
    guard job == Self.jobID else { throw NodeError.unknownJob }
    let request = GenerationRequest(
      model: "tiny", prompt: .text("a"),
      options: GenerationOptions(maximumTokens: Self.resumedTokens, sampling: .greedy))
    return try await generate(request) { event in
      if case .token(let token) = event, token.token < shown { return }
      emit(event)
    }
  }

  static let resumedTokens = 6

  func serves(api: Endpoint) {}

  func importModel(
    path: String, name: String?, progress: @escaping @Sendable (UInt64, UInt64) -> Void
  ) async throws -> ModelEntry {
    guard path == "/models/tiny.gguf" else { throw LibraryError.unknownModel(path) }
    progress(1_000, 1_000)
    return Self.entry
  }

  static let news = RegistryNews(
    cursor: LogCursor(
      log: LogName(author: PeerID(.repeated(1)), topic: .registry), sequence: 1, id: .repeated(3)),
    change: RegistryChange(
      kind: .register, name: "tiny", replaces: 0, model: ModelID(.repeated(2)), byteCount: 1_000,
      location: ""), entry: entry)

  func registryEntries() async -> [ModelEntry] { [Self.entry] }

  func registryEvents() async -> AsyncStream<RegistryEvent> {
    AsyncStream { continuation in
      continuation.yield(.seen(Self.news))
      continuation.yield(.final(Self.news))
      continuation.finish()
    }
  }

  func publish(model: String, name: String, location: String) async throws -> ModelEntry {
    guard model == "tiny" else { throw NodeError.unknownModel(model, known: ["tiny"]) }
    return Self.entry
  }

  func retire(name: String) async throws -> ModelEntry {
    throw RegistryError.notRegistered(name)
  }

  static let credits = CreditsReport(
    own: PeerID(.repeated(1)), terms: AccountTerms(price: WorkPrice(perMebiUnit: 3)),
    accounts: [
      AccountRecord(
        channel: ChannelID(.repeated(4)), side: .payee, other: AccountParty(PeerID(.repeated(5))))
    ], earned: Amount(7), spent: .zero, barred: [], trouble: nil)

  func credits() async -> CreditsReport? { Self.credits }

  func settle(_ payer: PeerID?) async throws -> Int { payer == nil ? 2 : 1 }

  func leave(progress: @escaping @Sendable (LeaveProgress) -> Void) async {
    progress(.atoms(left: 1, of: 3))
    progress(.left(unplaced: 1))
    left.withLock { $0 = true }
  }

  func stop() {}
}

extension ModelManifest {
  static let tiny = ModelManifest(
    architecture: "llama",
    shape: Hyperparameters(
      hidden: 32, layers: 1, vocabulary: 64, context: 128, norm: NormOptions(.rms, epsilon: 1e-5),
      attention: AttentionOptions(
        heads: 4, keyValueHeads: 2, headDimension: 8,
        rotaries: [RotaryOptions(dimension: 8, base: 10_000, style: .interleaved)],
        layers: [LayerAttention()], keyValueType: .f32),
      feedForward: FeedForwardOptions(width: 64, activation: .silu)),
    unitExponent: 20, tokenizer: BlobID(.repeated(9)), tokenizerByteCount: 1, chatTemplate: "",
    format: .f32, atoms: [])
}

extension PlanReport {
  static func tiny(_ objective: PlanObjective, context: Int) -> PlanReport {
    let peer = PeerID(.repeated(1))
    let estimate = TokenEstimate(
      computeNanoseconds: 40_000_000, synchronisationNanoseconds: 10_000_000)
    let slots = PerKind(attention: [0, 1], feedForward: [0, 1], vocabulary: [0, 1])
    return PlanReport(
      plan: ShardPlan(
        plannerVersion: 1, model: ModelID(.repeated(2)), objective: objective, precision: .f32,
        contextTokens: context, slotCounts: PerKind(attention: 2, feedForward: 2, vocabulary: 2),
        stages: [
          PlanStage(
            layers: 0..<1,
            ranks: [PlanRank(peer: peer, precision: .f32, slots: slots, residentBytes: 1_000)])
        ]),
      kind: .solo, estimate: estimate,
      alternatives: [PlanAlternative(kind: .solo, peers: [peer], estimate: estimate)],
      members: [
        PlanMember(
          peer: peer, stage: 0, sharePerMille: 1_000, headsPerLayer: 4, feedForwardColumns: 64,
          vocabularyRows: 64, precision: .f32, bytes: ByteCount(UInt64(900)))
      ],
      excluded: [ExcludedPeer(peer: PeerID(.repeated(7)), reason: .notWilling)])
  }
}
