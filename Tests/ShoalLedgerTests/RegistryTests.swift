// Names of models: changes by compare and swap, and whose models a peer takes up.

import ShoalLedger
import ShoalProtocol
import Testing

struct RegistryTests {
  private let author: Author
  private var registry = EmbeddedRegistry(verify: Author.verification)

  init() throws { author = try Author(1) }

  /// Signs and appends a registration; the events.
  private mutating func register(_ name: String, _ model: UInt8) throws -> [RegistryEvent] {
    let entry = try registry.registration(
      of: name, as: ModelID(word(model)), byteCount: 10, location: "", by: author.log.author,
      written: 1)
    return registry.append(author.sign(try #require(entry)))
  }

  private func revision(_ name: String) -> UInt32? {
    registry.entry(of: name, by: author.log.author)?.revision
  }

  @Test mutating func `a name is registered, updated, retired and comes back`() throws {
    let first = try register("story", 1)
    guard case .seen(let news) = first.first, case .final(news) = first.last else {
      Issue.record("not seen and final: \(first)")
      return
    }
    #expect(news.entry.revision == 1 && news.change.kind == .register)
    _ = try register("story", 2)
    #expect(registry.models.map(\.model) == [ModelID(word(2))])
    let retirement = try registry.retirement(
      of: "story", revision: 2, by: author.log.author, written: 1)
    _ = registry.append(author.sign(retirement))
    #expect(registry.models.isEmpty)
    #expect(registry.all.map(\.isRetired) == [true])
    _ = try register("story", 2)
    #expect(revision("story") == 4)
    #expect(registry.models.count == 1)
  }

  @Test mutating func `what a name stands for already is not said again`() throws {
    _ = try register("story", 1)
    let again = try registry.registration(
      of: "story", as: ModelID(word(1)), byteCount: 10, location: "", by: author.log.author,
      written: 5)
    #expect(again == nil)
  }

  @Test mutating func `a change that names an old revision is passed over by everybody`() throws {
    _ = try register("story", 1)
    _ = try register("story", 2)
    let stale = RegistryChange(
      kind: .update, name: "story", replaces: 1, model: ModelID(word(9)), byteCount: 1,
      location: "")
    let again = RegistryChange(
      kind: .register, name: "story", replaces: 0, model: ModelID(word(9)), byteCount: 1,
      location: "")
    for change in [stale, again] {
      let entry = try #require(registry.book.next(author.log, body: change.bytes, written: 1))
      let events = registry.append(author.sign(entry))
      #expect(events.isEmpty)
    }
    #expect(revision("story") == 2)
    #expect(throws: RegistryError.revision(expected: 1, found: 2)) {
      try registry.retirement(of: "story", revision: 1, by: author.log.author, written: 1)
    }
  }

  @Test mutating func `names that cannot be are refused with the numbers`() throws {
    let id = author.log.author
    let long = String(repeating: "é", count: 49)
    #expect(throws: RegistryError.nameTooLong(bytes: 98, limit: 96)) {
      try registry.registration(
        of: long, as: ModelID(word(1)), byteCount: 1, location: "", by: id, written: 1)
    }
    #expect(throws: RegistryError.emptyName) {
      try registry.registration(
        of: "", as: ModelID(word(1)), byteCount: 1, location: "", by: id, written: 1)
    }
    #expect(throws: RegistryError.notRegistered("x")) {
      try registry.retirement(of: "x", revision: nil, by: id, written: 1)
    }
  }

  @Test mutating func `an author whose log is forked can say nothing more`() throws {
    _ = try register("story", 1)
    let twin = author.sign(
      LogEntry(log: author.log, sequence: 1, previous: .zero, written: 99, body: []))
    let first = try #require(registry.book.entries(author.log, after: 0).first)
    let events = registry.append(try #require(ForkProof(first, twin)))
    #expect(events.count == 1)
    #expect(throws: RegistryError.ownLogForked(at: 1)) {
      try registry.registration(
        of: "other", as: ModelID(word(1)), byteCount: 1, location: "", by: author.log.author,
        written: 1)
    }
  }

  @Test mutating func `an event alone makes nobody store a model`() throws {
    _ = try register("story", 1)
    let entry = try #require(registry.models.first)
    let (own, other) = (try Author(2).log.author, try Author(3).log.author)
    #expect(PublisherPolicy.everybody.admits(entry, own: own))
    #expect(!PublisherPolicy(allowed: []).admits(entry, own: own))
    #expect(!PublisherPolicy(allowed: [other]).admits(entry, own: own))
    #expect(PublisherPolicy(allowed: [entry.publisher]).admits(entry, own: own))
    #expect(!PublisherPolicy(modelLimit: 9).admits(entry, own: own))
    #expect(PublisherPolicy(modelLimit: 10).admits(entry, own: own))
    #expect(PublisherPolicy(allowed: [], modelLimit: 0).admits(entry, own: entry.publisher))
  }
}
