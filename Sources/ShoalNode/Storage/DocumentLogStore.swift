// Logs in one document that is replaced whole: changes of names are few, and read once.

public import ShoalLedger
internal import ShoalProtocol

public struct DocumentLogStore: LogStore {
  private let documents: any DocumentStore
  private static let name = "ledger-logs"
  private static let limit = LogBook.logLimit * LogBook.entryLimit

  public init(documents: any DocumentStore) { self.documents = documents }

  public func load() throws -> LogContents {
    guard let bytes = try documents.read(Self.name) else { return LogContents() }
    var reader = ByteReader(bytes)
    let entries = try reader.list("log entries", limit: Self.limit) { reader throws(WireError) in
      try SignedLogEntry(from: &reader)
    }
    let forks = try reader.list("forks", limit: LogBook.logLimit) { reader throws(WireError) in
      try ForkProof(from: &reader)
    }
    try reader.finish()
    return LogContents(entries: entries, forks: forks)
  }

  public func append(_ entries: [SignedLogEntry]) throws {
    var contents = try load()
    let known = Set(contents.entries.map(\.id))
    contents.entries += entries.filter { !known.contains($0.id) }
    try save(contents)
  }

  public func add(_ proof: ForkProof) throws {
    var contents = try load()
    contents.entries.removeAll {
      $0.entry.log == proof.log && $0.entry.sequence >= proof.sequence
    }
    contents.forks.removeAll { $0.log == proof.log }
    contents.forks.append(proof)
    try save(contents)
  }

  private func save(_ contents: LogContents) throws {
    var writer = ByteWriter()
    writer.list(contents.entries) { $1.write(to: &$0) }
    writer.list(contents.forks) { $1.write(to: &$0) }
    try documents.write(Self.name, writer.bytes, isSecret: false)
  }
}
