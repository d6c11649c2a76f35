// One line of the registry: somebody says that a name stands for a model.

public import ShoalProtocol

/// What a publisher says of a name. The newest revision of a (publisher, name) counts.
public struct ModelEntry: Hashable, Sendable {
  public let publisher: PeerID
  /// What people call the model, unique for its publisher; at most 96 bytes.
  public let name: String
  /// Counts the changes of this name from 1.
  public let revision: UInt32
  public let model: ModelID
  /// Of all atoms and the tokenizer.
  public let byteCount: UInt64
  /// The publisher no longer offers it.
  public let isRetired: Bool
  /// When it was written, milliseconds since 1970 on the publisher's clock.
  public let written: UInt64

  public static let nameLimit = 96

  public init(
    publisher: PeerID, name: String, revision: UInt32, model: ModelID, byteCount: UInt64,
    isRetired: Bool, written: UInt64
  ) {
    self.publisher = publisher
    self.name = name
    self.revision = revision
    self.model = model
    self.byteCount = byteCount
    self.isRetired = isRetired
    self.written = written
  }

  /// What is signed.
  public var bytes: [UInt8] {
    var writer = ByteWriter()
    writer.id(publisher)
    writer.string(name)
    writer.integer(revision)
    writer.id(model)
    writer.integer(byteCount)
    writer.integer(UInt8(isRetired ? 1 : 0))
    writer.integer(written)
    return writer.bytes
  }

  init(from reader: inout ByteReader) throws(WireError) {
    publisher = try reader.id()
    name = try reader.string("name", limit: Self.nameLimit)
    revision = try reader.integer()
    model = try reader.id()
    byteCount = try reader.integer()
    let flag = try reader.integer(UInt8.self)
    guard flag <= 1 else { throw .unknown(field: "retired", value: UInt64(flag)) }
    isRetired = flag == 1
    written = try reader.integer()
  }
}

/// An entry with its publisher's signature.
public struct SignedEntry: Hashable, Sendable {
  public let entry: ModelEntry
  /// 64 bytes.
  public let signature: [UInt8]

  public init(entry: ModelEntry, signature: [UInt8]) {
    self.entry = entry
    self.signature = signature
  }

  func write(to writer: inout ByteWriter) {
    writer.raw(entry.bytes)
    writer.raw(signature)
  }

  init(from reader: inout ByteReader) throws(WireError) {
    entry = try ModelEntry(from: &reader)
    signature = Array(try reader.take(64))
  }
}
