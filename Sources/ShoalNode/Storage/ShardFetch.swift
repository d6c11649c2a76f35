// Brings blobs from peers that hold them: resumed where a fetch was cut off, verified before use,
// from as many holders at once as there are.

internal import ShoalInference
public import ShoalProtocol
internal import ShoalSecurity

private import Synchronization

/// A blob that is wanted, and its length as the manifest states it; nil: a manifest itself, whose
/// length its holder says.
package struct WantedBlob: Sendable, Hashable {
  package let blob: BlobID
  package let byteCount: UInt64?

  package init(blob: BlobID, byteCount: UInt64?) {
    self.blob = blob
    self.byteCount = byteCount
  }
}

/// Deals wanted blobs to holders. Decides only.
package struct FetchPlan: Sendable, Hashable {
  /// What each holder is asked for, in the order of the holders.
  package let lanes: [[WantedBlob]]
  /// What nobody holds.
  package let missing: [WantedBlob]

  /// - Parameter held: for each holder, whether it has each of `wanted`.
  package init(_ wanted: [WantedBlob], held: [[Bool]]) {
    var lanes = [[WantedBlob]](repeating: [], count: held.count)
    var bytes = [UInt64](repeating: 0, count: held.count)
    var missing: [WantedBlob] = []
    // The largest first, each to the holder with least to give: within 4/3 of the best deal
    // (Graham 1969).
    let order = wanted.indices.sorted {
      (wanted[$0].byteCount ?? 0, $1) > (wanted[$1].byteCount ?? 0, $0)
    }
    for index in order {
      let holders = held.indices.filter { held[$0][index] }
      guard let holder = holders.min(by: { (bytes[$0], $0) < (bytes[$1], $1) }) else {
        missing.append(wanted[index])
        continue
      }
      lanes[holder].append(wanted[index])
      bytes[holder] += wanted[index].byteCount ?? 0
    }
    self.lanes = lanes
    self.missing = missing
  }
}

/// The asking side of one shard stream, on a thread of its own.
actor FetchLane {
  private let thread: any ActorThread
  private let link: any FrameLink
  private let blobs: any BlobStore
  private let clock: any MeshClock
  nonisolated var unownedExecutor: UnownedSerialExecutor {
    unsafe thread.asUnownedSerialExecutor()
  }

  /// A holder that says nothing for that long is given up.
  private static let patience = Duration.seconds(2)

  init(
    thread: any ActorThread, link: any FrameLink, blobs: any BlobStore, clock: any MeshClock
  ) {
    self.thread = thread
    self.link = link
    self.blobs = blobs
    self.clock = clock
  }

  nonisolated func close() {
    link.shutdown()
    thread.stop()
  }

  nonisolated var peer: PeerID { link.peer }

  func held(_ wanted: [WantedBlob]) throws -> [Bool] {
    try ask(wanted.map(\.blob)) { .have($0) }
  }

  /// Which of `blobs` the other side holds and promises to keep.
  func promised(_ blobs: [BlobID]) throws -> [Bool] { try ask(blobs) { .keep($0) } }

  private func ask(
    _ blobs: [BlobID], _ question: ([BlobID]) -> ShardMessage
  ) throws -> [Bool] {
    var answers: [Bool] = []
    for start in stride(from: 0, to: blobs.count, by: ShardMessage.questionLimit) {
      let part = blobs[start..<min(blobs.count, start + ShardMessage.questionLimit)]
      try link.send(question(Array(part)))
      guard case .held(let held) = try receive(), held.count == part.count else {
        throw FetchError.badAnswer(link.peer)
      }
      answers += held
    }
    return answers
  }

  /// Fetches each blob; `progress` is told the bytes of each piece.
  func fetch(_ wanted: [WantedBlob], progress: @Sendable (UInt64) -> Void) throws {
    for blob in wanted where !blobs.contains(blob.blob) {
      try fetch(blob, progress: progress)
    }
  }

  private func fetch(_ wanted: WantedBlob, progress: @Sendable (UInt64) -> Void) throws {
    let limit = wanted.byteCount ?? UInt64(Limits.manifestBytes)
    var offset = blobs.partialCount(wanted.blob)
    if offset > limit {
      try blobs.abandon(wanted.blob)
      offset = 0
    }
    progress(offset)
    var total = wanted.byteCount
    while offset < total ?? limit {
      let length = min(UInt64(ShardMessage.chunkBytes), (total ?? limit) - offset)
      try link.send(.read(wanted.blob, offset: offset, length: UInt32(length)))
      guard case .bytes(let whole, let chunk) = try receive(), whole <= limit,
        whole == total ?? whole, !chunk.isEmpty, UInt64(chunk.count) <= length
      else { throw FetchError.badAnswer(link.peer) }
      total = whole
      try unsafe chunk.withUnsafeBytes { bytes in
        try unsafe blobs.append(bytes, to: wanted.blob, at: offset)
      }
      offset += UInt64(chunk.count)
      progress(UInt64(chunk.count))
    }
    try blobs.finish(wanted.blob)
  }

  private func receive() throws -> ShardMessage {
    try link.receiveShard(deadline: clock.now() + Self.patience)
  }
}

/// One fetch over several holders.
struct ShardFetch: Sendable {
  let lanes: [FetchLane]
  /// Peers that may hold something and could not be asked.
  let unreachable: Int

  /// Fetches all of `wanted`. What a holder fails to give is asked of the others; what nobody has
  /// is an error, after all that can be had is here.
  func run(_ wanted: [WantedBlob], progress: @escaping @Sendable (UInt64) -> Void) async throws {
    let answers = await answers(to: wanted)
    let held = answers.map { $0 ?? wanted.map { _ in false } }
    var silent = unreachable + answers.count { $0 == nil }
    var left = wanted
    var alive = Array(lanes.indices)
    while !left.isEmpty {
      let places = left.map { blob in wanted.firstIndex(of: blob) ?? 0 }
      let plan = FetchPlan(left, held: alive.map { lane in places.map { held[lane][$0] } })
      let failed = try await run(plan, over: alive, progress: progress)
      left = plan.missing + failed.flatMap { plan.lanes[$0] }
      silent += failed.count
      guard !failed.isEmpty else { break }
      alive = alive.enumerated().filter { !failed.contains($0.offset) }.map(\.element)
    }
    guard left.isEmpty else {
      throw silent == 0
        ? FetchError.nobodyHolds(blobs: left.count)
        : FetchError.holdersSilent(blobs: left.count, holders: silent)
    }
  }

  /// Who has what, of all at once; nil for whoever does not answer.
  private func answers(to wanted: [WantedBlob]) async -> [[Bool]?] {
    await withTaskGroup(of: (Int, [Bool]?).self) { group in
      for (place, lane) in lanes.enumerated() {
        group.addTask { (place, try? await lane.held(wanted)) }
      }
      var answers = [[Bool]?](repeating: nil, count: lanes.count)
      for await (place, held) in group { answers[place] = held }
      return answers
    }
  }

  /// Runs each lane's part; answers with the lanes that failed. Throws `BlobStoreError` where it is
  /// this peer's own disk that fails: no other holder can mend that.
  private func run(
    _ plan: FetchPlan, over alive: [Int], progress: @escaping @Sendable (UInt64) -> Void
  ) async throws -> [Int] {
    try await withThrowingTaskGroup(of: Int?.self) { group in
      for (place, part) in plan.lanes.enumerated() where !part.isEmpty {
        let lane = lanes[alive[place]]
        group.addTask {
          do {
            try await lane.fetch(part, progress: progress)
            return nil
          } catch let error as BlobStoreError {
            if case .corrupt = error { return place }
            throw error
          } catch {
            return place
          }
        }
      }
      var failed: [Int] = []
      for try await place in group { if let place { failed.append(place) } }
      return failed.sorted()
    }
  }
}

/// Counts the bytes that several lanes bring, and reports now and then.
final class ByteCounter: Sendable {
  private let total: UInt64
  private let done = Mutex<UInt64>(0)
  private let report: @Sendable (UInt64, UInt64) -> Void

  init(total: UInt64, report: @escaping @Sendable (UInt64, UInt64) -> Void) {
    self.total = total
    self.report = report
  }

  func add(_ bytes: UInt64) {
    let done = done.withLock { done in
      done += bytes
      return done
    }
    report(total - min(done, total), total)
  }
}

/// Why blobs could not be fetched.
public enum FetchError: Error, Sendable, Hashable {
  case badAnswer(PeerID)
  /// Everybody was asked.
  case nobodyHolds(blobs: Int)
  /// Nobody who answered has them; so many others did not answer.
  case holdersSilent(blobs: Int, holders: Int)
}

/// The answering side of one shard stream, on the stream's own thread.
struct ShardServer {
  let blobs: any BlobStore
  let keeper: AtomKeeper

  /// Answers until the other side is done. Any blob may be asked for by any member: blobs are
  /// public within a network.
  func serve(_ link: any FrameLink) throws {
    while true {
      switch try link.receiveShard(deadline: nil) {
      case .have(let asked):
        try link.send(.held(asked.map { blobs.contains($0) }))
      case .keep(let asked):
        try link.send(.held(keeper.promise(asked, isHeld: blobs.contains)))
      case .read(let blob, let offset, let length):
        try link.send(try answer(blob, offset: offset, length: length))
      case .held, .bytes, .absent:
        throw WireError.invalid(field: "shard question")
      }
    }
  }

  private func answer(_ blob: BlobID, offset: UInt64, length: UInt32) throws -> ShardMessage {
    guard blobs.contains(blob), let mapped = try? blobs.map(blob) else { return .absent }
    let total = unsafe UInt64(mapped.bytes.count)
    guard offset < total else { return .absent }
    let count = min(UInt64(length), UInt64(ShardMessage.chunkBytes), total - offset)
    return .bytes(
      total: total, unsafe Array(mapped.bytes[Int(offset)..<Int(offset + count)]))
  }
}
