// The registry that needs nothing installed: changes of names in signed logs, which peers pass on
// to each other until all have the same. A directory, no blockchain: nothing is scarce and nobody
// orders.

public import ShoalProtocol

/// One thing that happened to a name.
public enum RegistryEvent: Hashable, Sendable {
  /// A change arrived. On this ledger it is final at once, unless its author contradicts itself.
  case seen(RegistryNews)
  /// Its author contradicted itself: the change no longer counts.
  case undone(RegistryNews)
  case final(RegistryNews)
}

public struct RegistryNews: Hashable, Sendable {
  public let cursor: LogCursor
  public let change: RegistryChange
  /// What the change made of the name.
  public let entry: ModelEntry

  public init(cursor: LogCursor, change: RegistryChange, entry: ModelEntry) {
    (self.cursor, self.change, self.entry) = (cursor, change, entry)
  }
}

extension RegistryNews {
  /// What another source than a log says of a name: its revision is its place.
  public init(_ entry: ModelEntry) {
    let kind: RegistryChange.Kind =
      entry.isRetired ? .retire : entry.revision == 1 ? .register : .update
    self.init(
      cursor: LogCursor(
        log: LogName(author: entry.publisher, topic: .registry), sequence: UInt64(entry.revision),
        id: entry.nameID),
      change: RegistryChange(
        kind: kind, name: entry.name, replaces: entry.revision - min(1, entry.revision),
        model: entry.model, byteCount: entry.byteCount, location: entry.location), entry: entry)
  }
}

public struct EmbeddedRegistry: Sendable {
  private struct Name: Hashable, Comparable {
    let publisher: PeerID
    let name: String
    static func < (left: Name, right: Name) -> Bool {
      (left.publisher, left.name) < (right.publisher, right.name)
    }
  }

  public private(set) var book: LogBook
  private var entries: [Name: ModelEntry] = [:]

  public init(verify: @escaping LogVerification) { book = LogBook(verify: verify) }

  // MARK: Reading

  /// All names, retired ones included, sorted by publisher and name.
  public var all: [ModelEntry] { entries.sorted { $0.key < $1.key }.map(\.value) }

  /// Models on offer, sorted by name.
  public var models: [ModelEntry] {
    entries.values.filter { !$0.isRetired }.sorted {
      ($0.name, $0.publisher) < ($1.name, $1.publisher)
    }
  }

  public func entry(of name: String, by publisher: PeerID) -> ModelEntry? {
    entries[Name(publisher: publisher, name: name)]
  }

  /// The model that `name` stands for: `name`, `publisher/name` or the beginning of a model's id.
  /// Where several publishers use a name, `own` comes first, then the newest.
  public func resolve(_ name: String, own: PeerID) -> ModelEntry? {
    models.named(name, own: own)
  }

  // MARK: Changing

  /// What `author` signs so that `name` stands for `model`. Nil where it already does.
  public func registration(
    of name: String, as model: ModelID, byteCount: UInt64, location: String, by author: PeerID,
    written: UInt64
  ) throws(RegistryError) -> LogEntry? {
    let bytes = name.utf8.count
    guard bytes > 0 else { throw .emptyName }
    guard bytes <= ModelEntry.nameLimit else {
      throw .nameTooLong(bytes: bytes, limit: ModelEntry.nameLimit)
    }
    guard location.utf8.count <= RegistryChange.locationLimit else {
      throw .locationTooLong(
        bytes: location.utf8.count, limit: RegistryChange.locationLimit)
    }
    let known = entry(of: name, by: author)
    if let known, known.model == model, !known.isRetired, known.location == location { return nil }
    return try next(
      RegistryChange(
        kind: known == nil ? .register : .update, name: name, replaces: known?.revision ?? 0,
        model: model, byteCount: byteCount, location: location), by: author, written: written)
  }

  /// What `author` signs so that `name` is no longer offered.
  /// - Parameter revision: that the caller knows; nil: whichever it is.
  public func retirement(
    of name: String, revision: UInt32?, by author: PeerID, written: UInt64
  ) throws(RegistryError) -> LogEntry {
    guard let known = entry(of: name, by: author) else { throw .notRegistered(name) }
    guard !known.isRetired else { throw .alreadyRetired(name) }
    guard revision == nil || revision == known.revision else {
      throw .revision(expected: revision ?? 0, found: known.revision)
    }
    return try next(
      RegistryChange(
        kind: .retire, name: name, replaces: known.revision, model: known.model,
        byteCount: known.byteCount, location: known.location), by: author, written: written)
  }

  private func next(
    _ change: RegistryChange, by author: PeerID, written: UInt64
  ) throws(RegistryError) -> LogEntry {
    let log = LogName(author: author, topic: .registry)
    guard let entry = book.next(log, body: change.bytes, written: written) else {
      if let fork = book.fork(log) { throw .ownLogForked(at: fork.sequence) }
      throw .ownLogFull(limit: LogBook.entryLimit)
    }
    return entry
  }

  // MARK: Taking in

  /// Takes in what was kept, or signed here. The events that it makes.
  public mutating func append(_ signed: SignedLogEntry) -> [RegistryEvent] {
    guard book.merge(signed) == .appended else { return [] }
    return apply(signed)
  }

  public mutating func append(_ proof: ForkProof) -> [RegistryEvent] {
    guard case .forked(_, let undone) = book.merge(proof) else { return [] }
    return undo(undone)
  }

  /// Takes in what another peer says.
  public mutating func receive(
    _ message: LogMessage
  ) -> (reaction: LogReaction, events: [RegistryEvent]) {
    let reaction = book.receive(message)
    // What the message took back was applied before it, what it brought after.
    let events = undo(reaction.undone) + reaction.appended.flatMap { apply($0) }
    return (reaction, events)
  }

  private mutating func apply(_ signed: SignedLogEntry) -> [RegistryEvent] {
    guard let news = change(signed) else { return [] }
    entries[Name(publisher: news.entry.publisher, name: news.entry.name)] = news.entry
    return [.seen(news), .final(news)]
  }

  /// Undoing starts from what is left: names are few, forks are rare.
  private mutating func undo(_ undone: [SignedLogEntry]) -> [RegistryEvent] {
    guard !undone.isEmpty else { return [] }
    let before = entries
    let authors = Set(undone.map(\.entry.log.author))
    entries = entries.filter { !authors.contains($0.key.publisher) }
    for author in authors.sorted() {
      for kept in book.entries(LogName(author: author, topic: .registry), after: 0) {
        guard let news = change(kept) else { continue }
        entries[Name(publisher: author, name: news.entry.name)] = news.entry
      }
    }
    return undone.compactMap { signed in
      guard let change = try? RegistryChange(bytes: signed.entry.body),
        let entry = before[Name(publisher: signed.entry.log.author, name: change.name)]
      else { return nil }
      return .undone(RegistryNews(cursor: signed.cursor, change: change, entry: entry))
    }
  }

  /// What an entry makes of its name. Nil for one that says nothing that can be read, or that
  /// replaces another revision than the one there is: every peer passes it over alike.
  private func change(_ signed: SignedLogEntry) -> RegistryNews? {
    let author = signed.entry.log.author
    guard signed.entry.log.topic == .registry,
      let change = try? RegistryChange(bytes: signed.entry.body), !change.name.isEmpty
    else { return nil }
    let known = entry(of: change.name, by: author)
    guard change.replaces == known?.revision ?? 0, change.replaces < .max,
      (change.kind == .register) == (known == nil), change.kind != .retire || known != nil
    else { return nil }
    let entry = ModelEntry(
      publisher: author, name: change.name, revision: change.replaces + 1, model: change.model,
      byteCount: change.byteCount, isRetired: change.kind == .retire,
      written: signed.entry.written, location: change.location)
    return RegistryNews(cursor: signed.cursor, change: change, entry: entry)
  }
}

extension [ModelEntry] {
  /// The one that `name` stands for: `name`, `publisher/name` or the beginning of a model's id.
  /// Where several publishers use a name, `own` comes first, then the newest.
  public func named(_ name: String, own: PeerID) -> ModelEntry? {
    let named = filter { entry in
      entry.name == name || "\(entry.publisher.short)/\(entry.name)" == name
        || name.count >= 8 && entry.model.raw.hex.hasPrefix(name)
    }
    return named.max {
      ($0.publisher == own ? 1 : 0, $0.written, $0.publisher)
        < ($1.publisher == own ? 1 : 0, $1.written, $1.publisher)
    }
  }
}
