// The registry that needs nothing installed: signed entries that peers pass on to each other until
// all have the same. It is a directory of names, no blockchain: nothing is scarce and nobody
// orders.

public import ShoalProtocol

/// Whether an entry's signature is its publisher's. ShoalSecurity has it.
public typealias EntryVerification = @Sendable (SignedEntry) -> Bool

/// The entries that one peer knows. Two registries that heard the same entries are equal, in
/// whatever order they heard them.
public struct EmbeddedRegistry: Sendable {
  /// Entries of all publishers together: an announcement costs 200 bytes of memory.
  public static let limit = 4_096
  /// Entries of one publisher, so that no one fills the registry.
  public static let publisherLimit = 256

  private struct Name: Hashable, Comparable {
    let publisher: PeerID
    let name: String
    static func < (left: Name, right: Name) -> Bool {
      (left.publisher, left.name) < (right.publisher, right.name)
    }
  }

  private var entries: [Name: SignedEntry] = [:]
  private let verify: EntryVerification

  public init(verify: @escaping EntryVerification) { self.verify = verify }

  /// Takes an entry in if it is valid and newer than what is known. True: something changed.
  ///
  /// Of two different entries of one revision, which only a publisher that contradicts itself can
  /// sign, the one with the smaller bytes stays, so that all peers keep the same.
  public mutating func merge(_ signed: SignedEntry) -> Bool {
    let entry = signed.entry
    let name = Name(publisher: entry.publisher, name: entry.name)
    if let known = entries[name]?.entry {
      let isNewer =
        entry.revision > known.revision
        || entry.revision == known.revision
          && entry.bytes.lexicographicallyPrecedes(known.bytes)
      guard isNewer else { return false }
    } else {
      let ofPublisher = entries.keys.count { $0.publisher == entry.publisher }
      guard entries.count < Self.limit, ofPublisher < Self.publisherLimit else { return false }
    }
    guard verify(signed) else { return false }
    entries[name] = signed
    return true
  }

  /// All entries, sorted by publisher and name.
  public var all: [SignedEntry] { entries.sorted { $0.key < $1.key }.map(\.value) }

  /// Models on offer, sorted by name.
  public var models: [ModelEntry] {
    all.map(\.entry).filter { !$0.isRetired }.sorted {
      ($0.name, $0.publisher) < ($1.name, $1.publisher)
    }
  }

  /// The model that `name` stands for: `name`, `publisher/name` or the beginning of a model's id.
  /// Where several publishers use a name, `own` comes first, then the newest.
  public func resolve(_ name: String, own: PeerID) -> ModelEntry? {
    let named = models.filter { entry in
      entry.name == name || "\(entry.publisher.short)/\(entry.name)" == name
        || name.count >= 8 && entry.model.raw.hex.hasPrefix(name)
    }
    return named.max {
      ($0.publisher == own ? 1 : 0, $0.written, $0.publisher)
        < ($1.publisher == own ? 1 : 0, $1.written, $1.publisher)
    }
  }

  /// The revision that a change of `name` by `publisher` must have.
  public func nextRevision(of name: String, by publisher: PeerID) -> UInt32 {
    (entries[Name(publisher: publisher, name: name)]?.entry.revision ?? 0) + 1
  }

  /// Equal where the entries are equal.
  public func digest(_ hash: ContentHash) -> Bytes32 {
    var writer = ByteWriter()
    for signed in all { signed.write(to: &writer) }
    return unsafe writer.bytes.withUnsafeBytes { unsafe hash($0) }
  }

  /// What is kept on disk.
  public var bytes: [UInt8] {
    var writer = ByteWriter()
    writer.list(all) { $1.write(to: &$0) }
    return writer.bytes
  }

  /// Takes in what `bytes` wrote.
  public mutating func load(_ bytes: [UInt8]) throws(WireError) {
    var reader = ByteReader(bytes)
    let entries = try reader.list("entries", limit: Self.limit) { reader throws(WireError) in
      try SignedEntry(from: &reader)
    }
    try reader.finish()
    for entry in entries { _ = merge(entry) }
  }
}

/// What registries say to each other.
public enum RegistryMessage: Hashable, Sendable {
  /// This is the digest of what I have; answer with entries if yours differs.
  case digest(Bytes32)
  case entries([SignedEntry])

  public var bytes: [UInt8] {
    var writer = ByteWriter()
    switch self {
    case .digest(let digest):
      writer.integer(UInt8(1))
      writer.raw(digest.bytes)
    case .entries(let entries):
      writer.integer(UInt8(2))
      writer.list(entries) { $1.write(to: &$0) }
    }
    return writer.bytes
  }

  public init(bytes: [UInt8]) throws(WireError) {
    var reader = ByteReader(bytes)
    let tag = try reader.integer(UInt8.self)
    switch tag {
    case 1: self = .digest(try reader.bytes32())
    case 2:
      self = .entries(
        try reader.list("entries", limit: 16) { reader throws(WireError) in
          try SignedEntry(from: &reader)
        })
    case _: throw .unknown(field: "registry message", value: UInt64(tag))
    }
    try reader.finish()
  }

  /// `entries` in messages that fit a datagram.
  public static func batches(of entries: [SignedEntry]) -> [RegistryMessage] {
    stride(from: 0, to: entries.count, by: 3).map { start in
      .entries(Array(entries[start..<min(entries.count, start + 3)]))
    }
  }
}
