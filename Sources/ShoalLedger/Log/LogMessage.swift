// What books of logs say to each other until they are equal. Each message fits one datagram.

public import ShoalProtocol

public enum LogMessage: Hashable, Sendable {
  /// The digest of all I have; answer with heads if yours differs.
  case digest(Bytes32)
  case heads([LogHead])
  /// Send me what comes after this place.
  case want(LogName, after: UInt64)
  /// - Parameter goesOn: the log has more; ask for it.
  case entries([SignedLogEntry], goesOn: Bool)
  case fork(ForkProof)

  /// Bytes that a message may take (`GossipMessage.payloadBytes`, rounded down).
  static let byteLimit = 1_080
  static let headsLimit = 12
  static let entriesLimit = 8

  public var bytes: [UInt8] {
    var writer = ByteWriter()
    switch self {
    case .digest(let digest):
      writer.integer(UInt8(3))
      writer.raw(digest.bytes)
    case .heads(let heads):
      writer.integer(UInt8(4))
      writer.list(heads) { $1.write(to: &$0) }
    case .want(let log, let sequence):
      writer.integer(UInt8(5))
      log.write(to: &writer)
      writer.integer(sequence)
    case .entries(let entries, let goesOn):
      writer.integer(UInt8(6))
      writer.integer(UInt8(goesOn ? 1 : 0))
      writer.list(entries) { $1.write(to: &$0) }
    case .fork(let proof):
      writer.integer(UInt8(7))
      proof.write(to: &writer)
    }
    return writer.bytes
  }

  public init(bytes: [UInt8]) throws(WireError) {
    var reader = ByteReader(bytes)
    let tag = try reader.integer(UInt8.self)
    switch tag {
    case 3: self = .digest(try reader.bytes32())
    case 4:
      self = .heads(
        try reader.list("log heads", limit: Self.headsLimit) { reader throws(WireError) in
          try LogHead(from: &reader)
        })
    case 5: self = .want(try LogName(from: &reader), after: try reader.integer())
    case 6:
      let flag = try reader.integer(UInt8.self)
      guard flag <= 1 else { throw .unknown(field: "goes on", value: UInt64(flag)) }
      self = .entries(
        try reader.list("log entries", limit: Self.entriesLimit) { reader throws(WireError) in
          try SignedLogEntry(from: &reader)
        }, goesOn: flag == 1)
    case 7: self = .fork(try ForkProof(from: &reader))
    case _: throw .unknown(field: "log message", value: UInt64(tag))
    }
    try reader.finish()
  }

  /// As many of `entries` as one message takes.
  static func first(of entries: ArraySlice<SignedLogEntry>) -> LogMessage? {
    var size = 6
    let batch = entries.prefix(entriesLimit).prefix { entry in
      size += entry.bytes.count
      return size <= byteLimit
    }
    return batch.isEmpty ? nil : .entries(Array(batch), goesOn: batch.count < entries.count)
  }

  /// All of them, of any logs, as news.
  static func news(_ entries: [SignedLogEntry]) -> [LogMessage] {
    var (messages, rest): ([LogMessage], ArraySlice<SignedLogEntry>) = ([], entries[...])
    while case .entries(let batch, _)? = first(of: rest) {
      messages.append(.entries(batch, goesOn: false))
      rest = rest.dropFirst(batch.count)
    }
    return messages
  }
}

extension LogHead {
  func write(to writer: inout ByteWriter) {
    log.write(to: &writer)
    writer.integer(sequence)
    writer.raw(id.bytes)
    writer.integer(fork)
  }

  init(from reader: inout ByteReader) throws(WireError) {
    log = try LogName(from: &reader)
    sequence = try reader.integer()
    id = try reader.bytes32()
    fork = try reader.integer()
  }
}

/// What a message leads to.
public struct LogReaction: Hashable, Sendable {
  /// To whoever sent it.
  public var replies: [LogMessage] = []
  /// New here: to be kept, and told to others.
  public var appended: [SignedLogEntry] = []
  public var proofs: [ForkProof] = []
  /// No longer true, the newest first.
  public var undone: [SignedLogEntry] = []

  public init(appended: [SignedLogEntry] = []) { self.appended = appended }

  public var isNews: Bool { !appended.isEmpty || !proofs.isEmpty }

  /// What others are told.
  public var news: [LogMessage] {
    LogMessage.news(appended) + proofs.map { .fork($0) }
  }
}

extension LogBook {
  /// Tells a peer what is known here, in 32 bytes.
  public var greeting: LogMessage { .digest(digest) }

  /// One message leads to few: a log is fetched by asking again and again, so that nothing that is
  /// lost, doubled or out of order makes a flood.
  public mutating func receive(_ message: LogMessage) -> LogReaction {
    var reaction = LogReaction()
    switch message {
    case .digest(let theirs):
      if theirs != digest { reaction.replies = headMessages }
    case .heads(let heads):
      for head in heads { compare(head, &reaction) }
    case .want(let log, let sequence):
      if let proof = fork(log) { reaction.replies.append(.fork(proof)) }
      if let answer = LogMessage.first(of: entries(log, after: sequence)) {
        reaction.replies.append(answer)
      }
    case .entries(let entries, let goesOn):
      take(entries, goesOn: goesOn, &reaction)
    case .fork(let proof):
      note(merge(proof), of: proof.first, &reaction)
    }
    return reaction
  }

  private var headMessages: [LogMessage] {
    let heads = heads
    guard !heads.isEmpty else { return [.heads([])] }
    return stride(from: 0, to: heads.count, by: LogMessage.headsLimit).map { start in
      .heads(Array(heads[start..<min(heads.count, start + LogMessage.headsLimit)]))
    }
  }

  /// Asks for what the other has more of, and gives what it has less of.
  private func compare(_ theirs: LogHead, _ reaction: inout LogReaction) {
    let mine = head(theirs.log)
    guard theirs != mine else { return }
    if let proof = fork(mine.log), theirs.fork == 0 || theirs.fork > mine.fork {
      reaction.replies.append(.fork(proof))
    }
    if theirs.fork > 0, mine.fork == 0 || theirs.fork < mine.fork {
      reaction.replies.append(.want(theirs.log, after: max(2, theirs.fork) - 2))
    } else if theirs.sequence > mine.sequence {
      reaction.replies.append(.want(theirs.log, after: mine.sequence))
    } else if theirs.sequence == mine.sequence, theirs.id != mine.id {
      // One place, two entries: the other one completes the proof.
      reaction.replies.append(.want(theirs.log, after: max(1, mine.sequence) - 1))
    } else if theirs.sequence < mine.sequence,
      let gift = LogMessage.first(of: entries(theirs.log, after: max(1, theirs.sequence) - 1))
    {
      reaction.replies.append(gift)
    }
  }

  private mutating func take(
    _ entries: [SignedLogEntry], goesOn: Bool, _ reaction: inout LogReaction
  ) {
    for (index, entry) in entries.enumerated() {
      let outcome = merge(entry)
      // Behind one that does follow, it would be asked for in vain.
      if case .missing = outcome, index > 0 { break }
      note(outcome, of: entry, &reaction)
    }
    guard goesOn, let last = entries.last, reaction.replies.isEmpty else { return }
    let mine = head(last.entry.log)
    if mine.sequence >= last.entry.sequence {
      reaction.replies.append(.want(mine.log, after: mine.sequence))
    }
  }

  private func note(
    _ outcome: LogOutcome, of entry: SignedLogEntry, _ reaction: inout LogReaction
  ) {
    switch outcome {
    case .known, .refused: break
    case .appended: reaction.appended.append(entry)
    case .missing(let sequence):
      reaction.replies.append(.want(entry.entry.log, after: sequence))
    case .forked(let proof, let undone):
      reaction.proofs.append(proof)
      // What this very message brought was never told to anybody.
      let fresh = Set(reaction.appended.map(\.id))
      let gone = Set(undone.map(\.id))
      reaction.undone += undone.filter { !fresh.contains($0.id) }
      reaction.appended.removeAll { gone.contains($0.id) }
      // The two may differ before this place as well: the earliest counts.
      if proof.sequence > 1 {
        reaction.replies.append(.want(proof.log, after: proof.sequence - 2))
      }
    }
  }
}
