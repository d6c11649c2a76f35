// The logs of all authors as one peer knows them. Two books that heard the same entries are equal,
// in whatever order they heard them, forks included.

public import ShoalProtocol

/// What became of an entry or a proof.
public enum LogOutcome: Hashable, Sendable {
  /// It is there already, or it can change nothing any more.
  case known
  case appended
  /// It does not follow what is here: entries after `sequence` are missing, or are others.
  case missing(after: UInt64)
  /// The author contradicts itself: what it said from there on is taken back, the newest first.
  case forked(ForkProof, undone: [SignedLogEntry])
  case refused(LogRefusal)
}

public enum LogRefusal: Error, Hashable, Sendable {
  case badSignature
  case tooManyLogs(limit: Int)
  case logFull(limit: Int)
}

/// How far a log is known.
public struct LogHead: Hashable, Sendable {
  public let log: LogName
  /// Zero: nothing of it counts.
  public let sequence: UInt64
  /// Of the last entry; zero where there is none.
  public let id: Bytes32
  /// Where it forks; zero: nowhere.
  public let fork: UInt64

  public init(log: LogName, sequence: UInt64, id: Bytes32, fork: UInt64) {
    (self.log, self.sequence, self.id, self.fork) = (log, sequence, id, fork)
  }
}

public struct LogBook: Sendable {
  public static let logLimit = 1_024
  /// Entries of one log: 2 MB at most.
  public static let entryLimit = 4_096

  private struct Log: Sendable {
    /// Entry `n` has sequence `n + 1`.
    var entries: [SignedLogEntry] = []
    var fork: ForkProof?
  }

  private var logs: [LogName: Log] = [:]
  private let verify: LogVerification

  public init(verify: @escaping LogVerification) { self.verify = verify }

  // MARK: Reading

  public var heads: [LogHead] {
    logs.keys.sorted().map { name in
      let log = logs[name]
      return LogHead(
        log: name, sequence: UInt64(log?.entries.count ?? 0), id: log?.entries.last?.id ?? .zero,
        fork: log?.fork?.sequence ?? 0)
    }
  }

  public func head(_ name: LogName) -> LogHead {
    let log = logs[name]
    return LogHead(
      log: name, sequence: UInt64(log?.entries.count ?? 0), id: log?.entries.last?.id ?? .zero,
      fork: log?.fork?.sequence ?? 0)
  }

  /// Equal where everything that is known is equal.
  public var digest: Bytes32 {
    var writer = ByteWriter()
    for head in heads { head.write(to: &writer) }
    return Keccak256.hash(writer.bytes)
  }

  /// Entries of a log after a place, in order.
  public func entries(_ name: LogName, after sequence: UInt64) -> ArraySlice<SignedLogEntry> {
    let entries = logs[name]?.entries ?? []
    return entries.dropFirst(Int(clamping: sequence))
  }

  /// All entries of a topic: by author, in order.
  public func entries(of topic: LogTopic) -> [SignedLogEntry] {
    logs.keys.filter { $0.topic == topic }.sorted().flatMap { logs[$0]?.entries ?? [] }
  }

  public func fork(_ name: LogName) -> ForkProof? { logs[name]?.fork }
  public var forks: [ForkProof] { logs.keys.sorted().compactMap { logs[$0]?.fork } }

  /// What an author signs to say something next. Nil where its log is forked or full.
  public func next(_ name: LogName, body: [UInt8], written: UInt64) -> LogEntry? {
    let log = logs[name] ?? Log()
    guard log.fork == nil, log.entries.count < Self.entryLimit else { return nil }
    return LogEntry(
      log: name, sequence: UInt64(log.entries.count) + 1, previous: log.entries.last?.id ?? .zero,
      written: written, body: body)
  }

  // MARK: Taking in

  public mutating func merge(_ signed: SignedLogEntry) -> LogOutcome {
    let (name, sequence) = (signed.entry.log, signed.entry.sequence)
    let log = logs[name] ?? Log()
    if let fork = log.fork, sequence >= fork.sequence { return .known }
    let count = UInt64(log.entries.count)
    if sequence <= count {
      let known = log.entries[Int(sequence) - 1]
      guard let proof = ForkProof(known, signed) else { return .known }
      return merge(proof)
    }
    guard sequence == count + 1 else { return .missing(after: count) }
    // It follows another entry than the one here: the other one is the proof of a fork.
    guard signed.entry.previous == log.entries.last?.id ?? .zero else {
      return .missing(after: count > 0 ? count - 1 : 0)
    }
    guard logs[name] != nil || logs.count < Self.logLimit else {
      return .refused(.tooManyLogs(limit: Self.logLimit))
    }
    guard log.entries.count < Self.entryLimit else {
      return .refused(.logFull(limit: Self.entryLimit))
    }
    guard verify(signed) else { return .refused(.badSignature) }
    logs[name, default: Log()].entries.append(signed)
    return .appended
  }

  /// Of several proofs the one for the earliest place counts, of several for one place the one with
  /// the smallest ids: all peers end with the same.
  public mutating func merge(_ proof: ForkProof) -> LogOutcome {
    var log = logs[proof.log] ?? Log()
    if let known = log.fork {
      let isEarlier =
        (proof.sequence, proof.first.id, proof.second.id)
        < (known.sequence, known.first.id, known.second.id)
      guard isEarlier else { return .known }
    }
    guard logs[proof.log] != nil || logs.count < Self.logLimit else {
      return .refused(.tooManyLogs(limit: Self.logLimit))
    }
    guard verify(proof.first), verify(proof.second) else { return .refused(.badSignature) }
    let kept = min(log.entries.count, Int(clamping: proof.sequence - 1))
    let undone = Array(log.entries[kept...].reversed())
    log.entries.removeSubrange(kept...)
    log.fork = proof
    logs[proof.log] = log
    return .forked(proof, undone: undone)
  }
}
