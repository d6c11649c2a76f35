// A member of the network that lies, as driver of jobs and as a rank of them: each lie is answered with
// who and what, and streams of others beside it go on.

import Foundation
import ShoalInference
import ShoalLedger
import ShoalNode
import ShoalProtocol
import ShoalSecurity
import ShoalSystem
import Testing

/// Knows the network's key and speaks its protocol; the rest it makes up.
private struct Liar: Sendable {
  let identity: PeerIdentity
  let victim: PeerID
  private let door: StreamDoor
  private let record: CapabilityRecord
  private let view: [SignedRecord]
  private let manifest: ModelManifest
  private let model: ModelID
  private let room = ThreadRoom(SystemThreads().thread(name: "liar"))
  static let context = 64

  init(
    in world: TestMesh, victim number: Int, record: CapabilityRecord, model: ModelID
  ) throws {
    var generator = RandomSourceGenerator(Entropy())
    let victim = world.identities[number]
    // Ranks are in the order of their ids: the liar is the last, so that it is the one that dials.
    var identity = PeerIdentity(using: &generator)
    while identity.id < victim.id { identity = PeerIdentity(using: &generator) }
    let transport = try TCPTransport(listen: #require(Endpoint("127.0.0.1:0")))
    door = StreamDoor(
      party: HandshakeParty(
        identity: identity, network: world.network.id, networkKey: world.network.key),
      transport: transport, clock: SystemClock(), random: Entropy(), waiting: .sleep)
    let own = CapabilityRecord(
      peer: identity.id, version: 1, handshakeKey: identity.staticKey.key.raw,
      endpoints: transport.localEndpoints, failureDomain: "liar", memory: record.memory,
      compute: record.compute)
    view = try [(record, victim), (own, identity)].map { record, author in
      let signature = author.sign(record.bytes, purpose: .capabilityRecord).bytes
      return try #require(
        SignedRecord(body: record.bytes, author: author.id, signature: signature))
    }
    let path = world.directory.appendingPathComponent("peer\(number)").path
    manifest = try ModelLibrary(
      blobs: try unsafe DirectoryBlobStore(root: path, hash: BLAKE2b.contentHash)
    ).manifest(model)
    (self.identity, self.victim, self.record, self.model) = (identity, victim.id, record, model)
  }

  func dial(_ hello: StreamHello) async throws -> any FrameLink {
    try await door.dial(record, hello, within: .seconds(20))
  }

  func plan(context: Int = Liar.context) throws -> PlanID {
    try MeshPlan(
      model: model, manifest: manifest, records: try view.map { try $0.record() },
      objective: .spread, context: context, distrusted: []
    ).id
  }

  func prepare(
    _ job: JobID, term: UInt32 = 1, plan: PlanID? = nil, context: Int = Liar.context,
    view: [SignedRecord]? = nil
  ) throws -> Prepare {
    Prepare(
      job: job, term: Term(term), model: model, plan: try plan ?? self.plan(context: context),
      objective: .spread, context: context, positions: context, batch: 8, view: view ?? self.view,
      distrusted: [])
  }

  /// The records with the victim's signed by somebody else.
  var forgedView: [SignedRecord] {
    view.map { signed in
      SignedRecord(body: signed.body, author: signed.author, signature: view[1].signature)
        ?? signed
    }
  }

  func step(
    term: UInt32 = 1, sequence: UInt32 = 0, position: Int = 0, tokens: [UInt32] = [1]
  ) -> BatchStep {
    let span = StepSpan(
      slot: 0, position: position, count: tokens.count, context: Liar.context, logits: .last,
      slices: false, candidates: 1)
    return BatchStep(term: Term(term), sequence: sequence, spans: [span], tokens: tokens)
  }

  /// What stands before a partial of the first step's first sum, from the rank of that number.
  func header(
    _ job: JobID, change: UInt64 = 0, sequence: UInt32 = 0, index: UInt16 = 0, rank: UInt16 = 1
  ) throws -> [UInt8] {
    var binding = StepBinding(job: job, term: Term(1), plan: try plan())
    binding.absorb(position: 0, tokens: [1])
    let header = PartialHeader(
      binding: binding.value ^ change, sequence: sequence, index: index, rank: rank)
    var bytes = [UInt8](repeating: 0, count: PartialHeader.count)
    unsafe bytes.withUnsafeMutableBytes { unsafe header.write(to: $0) }
    return bytes
  }

  /// The failure that the victim ends the job with; nil where it closes without a word.
  func verdict(_ link: any FrameLink) async throws -> JobFailure? {
    try await room.perform {
      do {
        while true {
          let message = try link.receiveJob(deadline: SystemClock().now() + .seconds(30))
          if case .failed(let failure) = message { return failure }
        }
      } catch FrameLinkError.link(.closed) {
        return nil
      }
    }
  }

  func answers(
    to question: ShardMessage, on links: [any FrameLink]
  ) async throws -> [ShardMessage] {
    try await room.perform {
      try links.map { link in
        try link.send(question)
        return try link.receiveShard(deadline: SystemClock().now() + .seconds(30))
      }
    }
  }

  /// Drives a job up to its ranks being ready to connect.
  func begin(_ job: JobID) async throws -> any FrameLink {
    let link = try await dial(.job(job))
    let prepare = try prepare(job)
    try await room.perform {
      try link.send(.prepare(prepare))
      while true {
        switch try link.receiveJob(deadline: SystemClock().now() + .seconds(30)) {
        case .fetching: continue
        case .ready: return
        case let other: throw LiarError.unexpected("\(other)")
        }
      }
    }
    return link
  }

  func close() { room.close() }
}

private enum LiarError: Error { case unexpected(String) }

/// What a liar says where the truth was due, and what it must hear.
private struct Lie: Sendable {
  let name: String
  let expected: @Sendable (Liar) -> JobFailure?
  let tell: @Sendable (Liar, JobID) async throws -> any FrameLink

  /// As the driver of a job, before anybody is ready.
  static func preparing(
    _ name: String, _ expected: @escaping @Sendable (Liar) throws -> JobFailure?,
    _ prepare: @escaping @Sendable (Liar, JobID) throws -> Prepare
  ) -> Lie {
    Lie(name: name, expected: { try? expected($0) }) { liar, job in
      let link = try await liar.dial(.job(job))
      try link.send(.prepare(try prepare(liar, job)))
      return link
    }
  }

  /// As the driver, with a first step that does not follow.
  static func stepping(
    _ name: String, _ expected: @escaping @Sendable (Liar) -> JobFailure,
    _ message: @escaping @Sendable (Liar) -> JobMessage
  ) -> Lie {
    Lie(name: name, expected: expected) { liar, job in
      let link = try await liar.begin(job)
      let partials = try await liar.dial(.partials(job, Term(1), rank: 1))
      try partials.send(.partial, [0])
      for message in [.connect, message(liar)] { try link.send(message) }
      return link
    }
  }

  /// As a rank, where its first partial was due.
  static func computing(
    _ name: String, field: String,
    _ say: @escaping @Sendable (Liar, JobID, any FrameLink) throws -> Void
  ) -> Lie {
    Lie(name: name, expected: { .protocolViolation($0.identity.id, .invalid(field: field)) }) {
      liar, job in
      let link = try await liar.begin(job)
      let partials = try await liar.dial(.partials(job, Term(1), rank: 1))
      try say(liar, job, partials)
      for message in [JobMessage.connect, .step(liar.step())] { try link.send(message) }
      return link
    }
  }

  static let all: [Lie] = [
    preparing("another plan", { .planDiffers(mine: try $0.plan(), yours: PlanID(.zero)) }) {
      try $0.prepare($1, plan: PlanID(.zero))
    },
    preparing("a forged record", { .recordRefused($0.victim) }) {
      try $0.prepare($1, view: $0.forgedView)
    },
    preparing("a plan from no record of the victim", { .recordRefused($0.victim) }) {
      try $0.prepare($1, plan: PlanID(.zero), view: [])
    },
    stepping("a step of another term", { _ in .staleTerm(mine: Term(1), yours: Term(2)) }) {
      .step($0.step(term: 2))
    },
    stepping("a step that is not the next", { wrong($0, "step order") }) {
      .step($0.step(sequence: 1))
    },
    stepping("a step at another position", { wrong($0, "step order") }) {
      .step($0.step(position: 5))
    },
    stepping("a token beyond the vocabulary", { wrong($0, "token") }) {
      .step($0.step(tokens: [1 << 30]))
    },
    stepping(
      "a step longer than announced",
      { .protocolViolation($0.identity.id, .tooLong(field: "step", limit: 8, announced: 9)) }
    ) { .step($0.step(tokens: [UInt32](repeating: 1, count: 9))) },
    stepping("an answer instead of a question", { wrong($0, "job message") }) { _ in
      .ready(PlanID(.zero), positions: Liar.context)
    },
    computing("a partial of another job", field: "partial of another step") {
      try $2.send(.partial, $0.header($1, change: 1) + [0])
    },
    computing("a partial of another step", field: "partial of another step") {
      try $2.send(.partial, $0.header($1, sequence: 1) + [0])
    },
    computing("another sum", field: "partial of another step") {
      try $2.send(.partial, $0.header($1, index: 1) + [0])
    },
    computing("somebody else's partial", field: "partial of another step") {
      try $2.send(.partial, $0.header($1, rank: 0) + [0])
    },
    computing("a partial that is too short", field: "partial") {
      try $2.send(.partial, $0.header($1))
    },
    computing("a partial that is too long", field: "partial") {
      try $2.send(.partial, $0.header($1) + [UInt8](repeating: 0, count: 100_000))
    },
    computing("a partial out of range", field: "partial") {
      try $2.send(.partial, $0.header($1) + [46] + [UInt8](repeating: 255, count: 1_000))
    },
    computing("no partial at all", field: "partial of another step") { _, _, link in
      try link.send(.job, [1, 2, 3])
    },
    computing("a frame beyond its limit", field: "frame") { _, _, link in
      try link.send(.hello, [UInt8](repeating: 0, count: FrameType.hello.limit + 1))
    },
  ]

  private static func wrong(_ liar: Liar, _ field: String) -> JobFailure {
    .protocolViolation(liar.identity.id, .invalid(field: field))
  }
}

extension RealTimeTests {
  @Suite(.timeLimit(.minutes(10))) struct LyingMemberTests {
    private static let isThere = FileManager.default.fileExists(atPath: MeshTests.model.path)

    private static func job() -> JobID { JobID(Bytes32(Entropy().bytes(32)) ?? .zero) }

    @Test(.enabled(if: isThere))
    func `every lie of a member is named, and streams beside it are undisturbed`() async throws {
      let world = try TestMesh(peers: 2)
      defer { world.remove() }
      try await world.run { nodes in
        let entry = try await nodes[0].importModel(
          path: MeshTests.model.path, name: "story", progress: { _, _ in })
        for node in nodes {
          try await world.until { await node.peers().count { $0.state == .alive } == 2 }
          try await world.until { try await node.models().contains { $0.entry == entry } }
        }
        let request = world.request(tokens: 48, objective: .spread)
        let undisturbed = try await nodes[1].generate(request, emit: { _ in })
        let record = try #require(await nodes[0].peers().first { $0.isSelf }?.record)
        let liar = try Liar(in: world, victim: 0, record: record, model: entry.model)
        defer { liar.close() }
        for lie in Lie.all {
          async let beside = nodes[1].generate(request, emit: { _ in })
          let link = try await lie.tell(liar, Self.job())
          let verdict = try await liar.verdict(link)
          #expect(verdict == lie.expected(liar), "\(lie.name)")
          link.shutdown()
          let outcome = try await beside
          #expect(outcome.digest == undisturbed.digest, "beside: \(lie.name)")
        }
      }
    }

    @Test(.enabled(if: isThere))
    func `a term that is over, or a rank that nobody awaits, finds its stream closed`()
      async throws
    {
      let world = try TestMesh(peers: 1)
      defer { world.remove() }
      try await world.run { nodes in
        let entry = try await nodes[0].importModel(
          path: MeshTests.model.path, name: "story", progress: { _, _ in })
        let record = try #require(await nodes[0].peers().first { $0.isSelf }?.record)
        let liar = try Liar(in: world, victim: 0, record: record, model: entry.model)
        defer { liar.close() }
        let job = Self.job()
        let first = try await liar.begin(job)
        let again = try await liar.dial(.job(job))
        try again.send(.prepare(try liar.prepare(job)))
        #expect(
          try await liar.verdict(again) == .staleTerm(mine: Term(1), yours: Term(1)))
        let stranger = try await liar.dial(.partials(Self.job(), Term(1), rank: 1))
        #expect(try await liar.verdict(stranger) == nil)
        let earlier = try await liar.dial(.partials(job, Term(0), rank: 1))
        #expect(try await liar.verdict(earlier) == nil)
        for link in [first, again] { link.shutdown() }
      }
    }

    @Test(.enabled(if: isThere)) func `a peer has so many connections and no more`() async throws {
      let world = try TestMesh(peers: 1)
      defer { world.remove() }
      try await world.run { nodes in
        let entry = try await nodes[0].importModel(
          path: MeshTests.model.path, name: "story", progress: { _, _ in })
        let record = try #require(await nodes[0].peers().first { $0.isSelf }?.record)
        let liar = try Liar(in: world, victim: 0, record: record, model: entry.model)
        defer { liar.close() }
        var links: [any FrameLink] = []
        for _ in 0..<Limits.streamsOfOnePeer { links.append(try await liar.dial(.shard)) }
        let heard = try await liar.answers(to: .have([]), on: links)
        #expect(heard == links.map { _ in .held([]) })
        let one = try await liar.dial(.shard)
        #expect(try await liar.verdict(one) == nil)
        for link in links { link.shutdown() }
      }
    }
  }
}
