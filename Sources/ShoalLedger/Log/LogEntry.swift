// One entry of an author's append-only log: numbered, chained to the one before, signed.

public import ShoalProtocol

/// What a log is about. An author has one log for each topic.
public enum LogTopic: UInt8, Hashable, Sendable, CaseIterable {
  /// Which names stand for which models.
  case registry = 1
}

/// One author's log of one topic.
public struct LogName: Hashable, Comparable, Sendable {
  public let author: PeerID
  public let topic: LogTopic
  public init(author: PeerID, topic: LogTopic) { (self.author, self.topic) = (author, topic) }

  public static func < (left: LogName, right: LogName) -> Bool {
    (left.author, left.topic.rawValue) < (right.author, right.topic.rawValue)
  }

  func write(to writer: inout ByteWriter) {
    writer.id(author)
    writer.integer(topic.rawValue)
  }

  init(from reader: inout ByteReader) throws(WireError) {
    author = try reader.id()
    let code = try reader.integer(UInt8.self)
    guard let topic = LogTopic(rawValue: code) else {
      throw .unknown(field: "log topic", value: UInt64(code))
    }
    self.topic = topic
  }
}

/// What is signed.
public struct LogEntry: Hashable, Sendable {
  public let log: LogName
  /// Counts the entries of the log from 1.
  public let sequence: UInt64
  /// The id of the entry before; zero for the first.
  public let previous: Bytes32
  /// Milliseconds since 1970 on the author's clock: for people, never for order.
  public let written: UInt64
  /// What it says; the topic says how to read it.
  public let body: [UInt8]

  /// Two entries with their signatures fit one datagram, so that a fork is shown in one.
  public static let bodyLimit = 360

  public init(
    log: LogName, sequence: UInt64, previous: Bytes32, written: UInt64, body: [UInt8]
  ) {
    self.log = log
    self.sequence = sequence
    self.previous = previous
    self.written = written
    self.body = body
  }

  public var bytes: [UInt8] {
    var writer = ByteWriter(reserving: 96 + body.count)
    log.write(to: &writer)
    writer.integer(sequence)
    writer.raw(previous.bytes)
    writer.integer(written)
    writer.blob(body)
    return writer.bytes
  }

  init(from reader: inout ByteReader) throws(WireError) {
    log = try LogName(from: &reader)
    sequence = try reader.integer()
    guard sequence > 0 else { throw .invalid(field: "log sequence") }
    previous = try reader.bytes32()
    written = try reader.integer()
    body = try reader.blob("log body", limit: Self.bodyLimit)
  }
}

/// An entry with its author's signature. Whether it holds is `LogVerification`'s to say.
public struct SignedLogEntry: Hashable, Sendable {
  public let entry: LogEntry
  /// Keccak-256 of the entry's bytes.
  public let id: Bytes32
  /// 64 bytes.
  public let signature: [UInt8]

  public init(entry: LogEntry, signature: [UInt8]) {
    self.entry = entry
    self.signature = signature
    id = Keccak256.hash(entry.bytes)
  }

  public func write(to writer: inout ByteWriter) {
    writer.raw(entry.bytes)
    writer.raw(signature)
  }

  public init(from reader: inout ByteReader) throws(WireError) {
    let entry = try LogEntry(from: &reader)
    self.init(entry: entry, signature: Array(try reader.take(64)))
  }

  /// As it is kept on disk.
  public var bytes: [UInt8] {
    var writer = ByteWriter()
    write(to: &writer)
    return writer.bytes
  }

  public init(bytes: [UInt8]) throws(WireError) {
    var reader = ByteReader(bytes)
    self = try SignedLogEntry(from: &reader)
    try reader.finish()
  }

  public var cursor: LogCursor {
    LogCursor(log: entry.log, sequence: entry.sequence, id: id)
  }
}

/// A place in a log.
public struct LogCursor: Hashable, Sendable {
  public let log: LogName
  public let sequence: UInt64
  public let id: Bytes32

  public init(log: LogName, sequence: UInt64, id: Bytes32) {
    (self.log, self.sequence, self.id) = (log, sequence, id)
  }
}

/// Whether an entry's signature is its author's. ShoalSecurity has it.
public typealias LogVerification = @Sendable (SignedLogEntry) -> Bool

/// Two entries of one author for one place: it contradicts itself, and anybody can see it.
public struct ForkProof: Hashable, Sendable {
  /// The one with the smaller id first, so that a contradiction has one proof.
  public let first: SignedLogEntry
  public let second: SignedLogEntry

  /// Nil unless the two are different entries for the same place.
  public init?(_ one: SignedLogEntry, _ other: SignedLogEntry) {
    guard one.entry.log == other.entry.log, one.entry.sequence == other.entry.sequence,
      one.id != other.id
    else { return nil }
    (first, second) = one.id < other.id ? (one, other) : (other, one)
  }

  public var log: LogName { first.entry.log }
  /// The first place that is in doubt: nothing from here on counts.
  public var sequence: UInt64 { first.entry.sequence }

  public func write(to writer: inout ByteWriter) {
    first.write(to: &writer)
    second.write(to: &writer)
  }

  public init(from reader: inout ByteReader) throws(WireError) {
    let first = try SignedLogEntry(from: &reader)
    guard let proof = ForkProof(first, try SignedLogEntry(from: &reader)) else {
      throw .invalid(field: "fork proof")
    }
    self = proof
  }
}
