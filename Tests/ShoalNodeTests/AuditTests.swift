// Audits of ranks by ranks: no honest one is ever accused, a lie is found before a token comes of it,
// and what was found holds elsewhere.

import ShoalInference
import ShoalNode
import ShoalProtocol
import ShoalSecurity
import ShoalSystem
import Testing

@Suite struct AuditTests {
  private static let prompt = (0..<21).map { UInt32($0 * 37 % 290 + 3) }

  /// Shares that are equal, uneven, and dealt like cards; one rank may hold no block at all.
  private static let dealings = [
    Dealing(weights: [1, 1]), Dealing(weights: [3, 2, 1]),
    Dealing(weights: [1, 1, 1], asCards: true),
    Dealing(weights: [0, 2, 1]),
  ]

  private static func chooser(_ engine: Engine, count: Int) throws -> TokenChooser {
    try TokenChooser(
      options: GenerationOptions(maximumTokens: count, sampling: .greedy),
      tokenizer: engine.tokenizer, prompt: prompt, emit: { _ in })
  }

  @Test(arguments: FamilySplitTests.names)
  func `an honest mesh is never accused, whatever the family and the shares`(
    _ family: String
  ) async throws {
    let engine = try Engine(FamilySplitTests.file(family).bytes)
    let shape = engine.manifest.shape
    // Encoders generate nothing.
    guard shape.head.hasLogits else { return }
    for dealing in Self.dealings {
      let ranks = AuditedRanks(engine, dealing)
      let digest = try await ranks.generate(
        Self.prompt, count: 8, batch: 5, Self.chooser(engine, count: 8))
      let alone = try await engine.digest(Self.prompt, count: 8)
      #expect(digest == alone)
      let passed = try ranks.passed()
      // The first of each rank is open before the first step.
      if shape.hasSeparateFeedForward { #expect(passed > 0, "\(dealing)") }
      // Parallel branches and recurrent layers are out of an audit's reach.
      if !shape.hasSeparateFeedForward { #expect(passed == 0) }
      for rank in ranks.shares.indices {
        #expect(try ranks.store(rank).reputation().avoided(among: ranks.peers).isEmpty)
      }
    }
  }

  fileprivate static func model() throws -> TinyLlama {
    var model = TinyLlama.smallest
    model.vocabulary = 320
    model.layers = 5
    return model
  }

  /// The end of a term in which one rank lies, and the tokens that were chosen before.
  fileprivate static func caught(
    _ ranks: AuditedRanks, count: Int
  ) async throws -> (end: TermEnd?, tokens: [UInt32]) {
    let chooser = try chooser(ranks.engine, count: count)
    do {
      _ = try await ranks.generate(prompt, count: count, batch: 8, chooser)
      return (nil, chooser.tokens)
    } catch let end as TermEnd {
      return (end, chooser.tokens)
    }
  }

  @Test func `one unit too much in one element is found before a token comes of it`()
    async throws
  {
    let engine = try Engine(Self.model().file().bytes)
    for liar in 0...1 {
      var ranks = AuditedRanks(engine, Dealing(weights: [1, 1]))
      ranks.lie = PartialLie(rank: liar)
      let (end, tokens) = try await Self.caught(ranks, count: 8)
      #expect(end == TermEnd(.dishonest(ranks.peers[liar]), blamed: [ranks.peers[liar]]))
      #expect(tokens.isEmpty)
      #expect(try ranks.store(1 - liar).reputation().caught == [ranks.peers[liar]])
      #expect(try ranks.store(liar).reputation().caught.isEmpty)
    }
  }

  @Test func `where nothing is audited nothing is opened, and a lie is not found`() async throws {
    let engine = try Engine(Self.model().file().bytes)
    var ranks = AuditedRanks(engine, Dealing(weights: [1, 1]))
    ranks.interval = nil
    #expect(try ranks.bench(of: 0) == nil)
    ranks.lie = PartialLie(rank: 1)
    let (end, tokens) = try await Self.caught(ranks, count: 8)
    #expect(end == nil)
    #expect(!tokens.isEmpty)
    #expect(try ranks.passed() == 0)
  }

  @Test func `atoms that are not held are not audited`() throws {
    let engine = try Engine(Self.model().file().bytes)
    let ranks = AuditedRanks(engine, Dealing(weights: [1, 1]))
    let blocks = Set(ranks.shares[1].blocks)
    for entry in engine.manifest.atoms {
      if case .feedForward(_, let block) = entry.key, blocks.contains(block) {
        try engine.library.blobs.remove(entry.blob)
      }
    }
    #expect(try ranks.bench(of: 0) == nil)
    #expect(try ranks.bench(of: 1) != nil)
  }

  @Test func `evidence holds in another store, and not against honest numbers or once changed`()
    async throws
  {
    // Of one layer: what follows a lie in another is computed from what the liar alone believes.
    var model = try Self.model()
    model.layers = 1
    let file = try model.file().bytes
    var ranks = AuditedRanks(try Engine(file), Dealing(weights: [1, 1]))
    ranks.lie = PartialLie(rank: 1)
    _ = try await Self.caught(ranks, count: 8)
    let found = try #require(try ranks.store(0).evidence(against: ranks.peers[1]))
    #expect(found.accuser == ranks.peers[0] && found.suspect == ranks.peers[1])
    let bytes = found.bytes
    let accusation = try Accusation(bytes: bytes)
    #expect(accusation == found)

    let elsewhere = try Engine(file).library
    guard
      case .wrong(let element, let claimed, let right) = try accusation.recheck(
        in: elsewhere, kernels: Kernels(path: .reference))
    else {
      Issue.record("unfounded")
      return
    }
    #expect(element == 3 && claimed == right + 1)

    var honest = accusation.claimed
    honest[element] = right
    let unfounded = Accusation(
      of: ranks.peers[1], beside: [], model: accusation.model, job: accusation.job,
      term: accusation.term, sequence: accusation.sequence, layer: accusation.layer,
      blocks: accusation.blocks, input: accusation.input, claimed: honest,
      by: ranks.identities[0])
    #expect(try unfounded.recheck(in: elsewhere, kernels: Kernels()) == .unfounded)

    for index in bytes.indices {
      var changed = bytes
      changed[index] ^= 1
      #expect(throws: (any Error).self, "byte \(index)") {
        try Accusation(bytes: changed).recheck(in: elsewhere, kernels: Kernels())
      }
    }
    for count in bytes.indices {
      #expect(throws: AccusationError.self) { try Accusation(bytes: Array(bytes[..<count])) }
    }
    let empty = ModelLibrary(blobs: MemoryBlobStore())
    #expect(throws: LibraryError.unknownModel(accusation.model.short)) {
      try accusation.recheck(in: empty, kernels: Kernels())
    }
  }

  @Test(arguments: ["layer", "blocks", "row"])
  func `an accusation that does not fit its model is refused`(_ field: String) throws {
    let engine = try Engine(Self.model().file().bytes)
    let identity = AuditedRanks(engine, Dealing()).identities[0]
    let hidden = engine.manifest.shape.hidden
    let accusation = Accusation(
      of: identity.id, beside: [], model: engine.model, job: JobID(.zero), term: Term(0),
      sequence: 0, layer: field == "layer" ? 5 : 0, blocks: field == "blocks" ? [1, 0] : [0],
      input: [Float](repeating: 0, count: field == "row" ? 1 : hidden),
      claimed: [Int64](repeating: 0, count: hidden), by: identity)
    #expect(throws: AccusationError.doesNotFit(engine.model, field: field)) {
      try accusation.recheck(in: engine.library, kernels: Kernels())
    }
  }
}

// The audited layer is opened beside the steps: where tests hold all cores, too late for them.
extension RealTimeTests {
  @Suite struct MisledAuditTests {
    @Test func `a lie in one layer of one of three is found, and only suspected: it may be misled`()
      async throws
    {
      let engine = try Engine(AuditTests.model().file().bytes)
      var ranks = AuditedRanks(engine, Dealing(weights: [1, 1, 1]))
      ranks.lie = PartialLie(rank: 1, layer: 3)
      let (end, _) = try await AuditTests.caught(ranks, count: 200)
      #expect(end == TermEnd(.dishonest(ranks.peers[1]), blamed: [ranks.peers[1]]))
      let known = try [0, 2].map { try ranks.store($0).reputation() }
      #expect(known.contains { $0.suspected == [ranks.peers[1]] })
      for reputation in known {
        #expect(reputation.caught.isEmpty)
        #expect(reputation.avoided(among: ranks.peers).allSatisfy { $0 == ranks.peers[1] })
      }
    }
  }
}
