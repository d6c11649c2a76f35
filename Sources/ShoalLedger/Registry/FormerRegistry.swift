// The registry as data directories of version 1 keep it: signed entries, the newest revision of
// each name. Read to carry names over into a log, never written.

public import ShoalProtocol

/// A `registry` document: a `UInt32` count, then entries.
public struct FormerRegistry: Hashable, Sendable {
  public struct Entry: Hashable, Sendable {
    /// Without a location, which entries of that time do not have.
    public let model: ModelEntry
    /// What is signed.
    public let signedBytes: [UInt8]
    /// 64 bytes.
    public let signature: [UInt8]
  }

  /// What a document of version 1 holds at most.
  public static let limit = 4_096

  public let entries: [Entry]

  public init(bytes: [UInt8]) throws(WireError) {
    var reader = ByteReader(bytes)
    entries = try reader.list("entries", limit: Self.limit) { reader throws(WireError) in
      try Entry(from: &reader)
    }
    try reader.finish()
  }

  /// Names that `publisher` offers, in the order in which it wrote them.
  public func offers(of publisher: PeerID) -> [Entry] {
    entries.filter { $0.model.publisher == publisher && !$0.model.isRetired }.sorted {
      ($0.model.written, $0.model.name) < ($1.model.written, $1.model.name)
    }
  }
}

extension FormerRegistry.Entry {
  init(from reader: inout ByteReader) throws(WireError) {
    let publisher: PeerID = try reader.id()
    let name = try reader.string("name", limit: ModelEntry.nameLimit)
    let revision = try reader.integer(UInt32.self)
    let model: ModelID = try reader.id()
    let byteCount = try reader.integer(UInt64.self)
    let flag = try reader.integer(UInt8.self)
    guard flag <= 1 else { throw .unknown(field: "retired", value: UInt64(flag)) }
    self.model = ModelEntry(
      publisher: publisher, name: name, revision: revision, model: model, byteCount: byteCount,
      isRetired: flag == 1, written: try reader.integer())
    signedBytes = self.model.formerBytes
    signature = Array(try reader.take(64))
  }
}

extension ModelEntry {
  fileprivate var formerBytes: [UInt8] {
    var writer = ByteWriter()
    writer.id(publisher)
    writer.string(name)
    writer.integer(revision)
    writer.id(model)
    writer.integer(byteCount)
    writer.flag(isRetired)
    writer.integer(written)
    return writer.bytes
  }
}
