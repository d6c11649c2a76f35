// Ranks over links in memory that audit each other; one of them may lie.

import ShoalInference
import ShoalNode
import ShoalProtocol
import ShoalSecurity
import ShoalSystem
import Synchronization

/// Documents in memory.
final class MemoryDocuments: DocumentStore {
  private let documents = Mutex<[String: [UInt8]]>([:])
  func read(_ name: String) -> [UInt8]? { documents.withLock { $0[name] } }
  func write(_ name: String, _ bytes: [UInt8], isSecret: Bool) {
    documents.withLock { $0[name] = bytes }
  }
  func remove(_ name: String) { documents.withLock { $0[name] = nil } }
}

/// What one rank tells the others instead of the truth: one more, in one element of its parts of
/// some feed-forward sums.
struct PartialLie: Sendable {
  let rank: Int
  /// Nil: all.
  var layer: Int?
}

struct AuditedRanks: Sendable {
  let engine: Engine
  let shares: [RankShare]
  /// Sorted by id, as ranks are.
  let identities: [PeerIdentity]
  let documents: [MemoryDocuments]
  var interval: Int? = 1
  var lie: PartialLie?

  init(_ engine: Engine, _ dealing: Dealing) {
    self.engine = engine
    shares = dealing.shares(engine.manifest.cut)
    var generator = RandomSourceGenerator(Entropy())
    identities = shares.map { _ in PeerIdentity(using: &generator) }.sorted { $0.id < $1.id }
    documents = shares.map { _ in MemoryDocuments() }
  }

  var peers: [PeerID] { identities.map(\.id) }

  func store(_ rank: Int) -> AuditStore { AuditStore(documents: documents[rank]) }

  /// Parts of others that ranks found right, by all of them together.
  func passed() throws -> Int {
    try shares.indices.reduce(0) { sum, rank in
      let reputation = try store(rank).reputation()
      return sum + peers.reduce(0) { $0 + Reputation.introduction - reputation.left(of: $1) }
    }
  }

  /// Generates with all ranks. Throws `TermEnd`.
  func generate(
    _ prompt: [UInt32], count: Int, batch: Int, _ chooser: TokenChooser
  ) async throws -> Bytes32 {
    try await run(context: prompt.count + count, batch: batch) { runner in
      let session = GenerationSession(
        order: GenerationOrder(
          prompt: prompt, maximumTokens: count, context: prompt.count + count, batch: batch,
          candidates: 1),
        plan: PlanID(.zero), term: Term(0), members: peers,
        vocabularyBlocks: engine.manifest.cut.vocabularyBlocks)
      _ = try runner.run(session, batch: batch) { try chooser.choose($0, $1) }
      return chooser.digest
    }
  }

  private static let patience = StepPatience(
    tokenEstimate: .seconds(60), linkSlack: .seconds(60))

  private func run<Outcome: Sendable>(
    context: Int, batch: Int,
    _ drive: @escaping @Sendable (GenerationRunner) throws -> Outcome
  ) async throws -> Outcome {
    let mesh = links()
    let entries = peers.map { peer in
      MemoryLink.pair(left: PeerID(.zero), right: peer) { SystemThreads().gate() }
    }
    let session = RankSession(
      job: JobID(.zero), plan: PlanID(.zero), term: Term(0), positions: context, batch: batch)
    return try await withThrowingTaskGroup(of: Void.self) { group in
      for rank in shares.indices {
        group.addTask {
          // What a rank ends with the entry hears.
          try? await serve(rank, session, entries[rank].1, mesh[rank])
          for link in mesh[rank] { link?.shutdown() }
        }
      }
      let room = ThreadRoom(SystemThreads().thread(name: "entry"))
      defer { room.close() }
      let outcome = try await room.perform {
        let runner = GenerationRunner(
          links: entries.map(\.0), entry: PeerID(.zero), patience: Self.patience,
          clock: SystemClock())
        return try drive(runner)
      }
      try await group.waitForAll()
      return outcome
    }
  }

  private func serve(
    _ rank: Int, _ session: RankSession, _ entry: any FrameLink, _ links: [(any FrameLink)?]
  ) async throws {
    let room = ThreadRoom(SystemThreads().thread(name: "rank"))
    let beside = ThreadRoom(SystemThreads().thread(name: "audit"))
    defer {
      room.close()
      beside.close()
    }
    let library = engine.library
    // A liar that audits would accuse others: its own numbers are not theirs any more.
    let bench = lie?.rank == rank ? nil : try await room.perform { try self.bench(of: rank) }
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { await bench?.run(in: beside) }
      defer { group.cancelAll() }
      try await room.perform {
        let runner = RankRunner(
          model: try RankModel(manifest: engine.manifest, share: shares[rank]) {
            try library.atom($0)
          },
          kernels: Kernels(), workers: SerialWorkers(), session: session,
          route: StageRoute(
            rank: rank, stageSizes: [shares.count], hidden: engine.manifest.shape.hidden),
          links: links, patience: Self.patience, pace: nil, clock: SystemClock(),
          threads: SystemThreads())
        runner.auditor = bench.map {
          RankAuditor($0, kernels: Kernels(), workers: SerialWorkers())
        }
        defer { bench?.end() }
        try runner.serve(entry)
      }
    }
  }

  /// What one rank audits.
  func bench(of rank: Int) throws -> AuditBench? {
    let auditing = try Auditing(
      identity: identities[rank], interval: interval, store: store(rank), random: Entropy())
    return auditing.bench(
      AuditBench.Scene(
        job: JobID(.zero), term: Term(0), model: engine.model, manifest: engine.manifest),
      own: shares[rank],
      others: shares.indices.filter { $0 != rank }.map {
        AuditBench.Subject(rank: $0, peer: peers[$0], share: shares[$0])
      }, in: engine.library, clock: SystemClock())
  }

  /// (ranks, ranks); nil on the diagonal.
  private func links() -> [[(any FrameLink)?]] {
    let count = shares.count
    var links = [[(any FrameLink)?]](repeating: Array(repeating: nil, count: count), count: count)
    for left in 0..<count {
      for right in left + 1..<max(count, left + 1) {
        let pair = MemoryLink.pair(left: peers[left], right: peers[right]) {
          SystemThreads().gate()
        }
        (links[left][right], links[right][left]) = (said(pair.0, by: left), said(pair.1, by: right))
      }
    }
    return links
  }

  private func said(_ link: any FrameLink, by rank: Int) -> any FrameLink {
    guard let lie, lie.rank == rank else { return link }
    return LyingLink(link, lie, hidden: engine.manifest.shape.hidden)
  }
}

/// A link whose sender lies.
private final class LyingLink: FrameLink {
  private let link: any FrameLink
  private let lie: PartialLie
  private let hidden: Int
  var peer: PeerID { link.peer }

  init(_ link: any FrameLink, _ lie: PartialLie, hidden: Int) {
    self.link = link
    self.lie = lie
    self.hidden = hidden
  }

  func send(
    _ type: FrameType, capacity: Int, _ fill: (UnsafeMutableRawBufferPointer) throws -> Int
  ) throws {
    var frame = [UInt8](repeating: 0, count: capacity)
    let count = try unsafe frame.withUnsafeMutableBytes { try unsafe fill($0) }
    frame.removeSubrange(count...)
    try link.send(type, type == .partial ? changed(frame) : frame)
  }

  /// With one more in the first row's fourth element, where it is a sum that is lied about.
  private func changed(_ frame: [UInt8]) -> [UInt8] {
    let header = PartialHeader.count
    let index = Int(frame[12]) + Int(frame[13]) << 8
    let isTold = lie.layer.map { index == 2 + 2 * $0 } ?? (index > 0 && index % 2 == 0)
    guard isTold, index < ForwardPass.handoverIndex else { return frame }
    let packed = Array(frame[header...])
    for rows in 1...64 {
      var sums = [Int64](repeating: 0, count: rows * hidden)
      let isRead = unsafe sums.withUnsafeMutableBufferPointer { sums in
        unsafe packed.withUnsafeBytes { packed in
          unsafe (try? PartialCodec.decodeAdding(packed, to: sums)) != nil
        }
      }
      guard isRead else { continue }
      sums[3] += 1
      var room = [UInt8](repeating: 0, count: PartialCodec.capacity(for: sums.count))
      let count = unsafe sums.withUnsafeBufferPointer { sums in
        unsafe room.withUnsafeMutableBytes { room in
          unsafe (try? PartialCodec.encode(sums, into: room)) ?? 0
        }
      }
      return Array(frame[..<header]) + room[..<count]
    }
    return frame
  }

  func receive(deadline: Moment?) throws(FrameLinkError) -> ReceivedFrame {
    try link.receive(deadline: deadline)
  }

  func shutdown() { link.shutdown() }
}
