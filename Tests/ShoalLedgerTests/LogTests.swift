// Logs of authors: that peers end with the same, and that a forked log is caught by everybody.

import ShoalLedger
import ShoalProtocol
import Testing

struct LogTests {
  @Test func `peers that heard entries in any order end with the same book`() throws {
    let authors = try (1...3).map { try Author($0) }
    let entries = authors.flatMap { $0.history(12) }
    for seed in 1...40 as ClosedRange<UInt64> {
      var generator = Xorshift(state: seed)
      var gossip = Gossip(3)
      for peer in 0..<3 {
        for entry in entries.shuffled(using: &generator) where Bool.random(using: &generator) {
          _ = gossip.deliver(.entries([entry], goesOn: false), to: peer)
        }
      }
      for author in authors {
        // Whoever wrote it has all of it.
        for entry in author.history(12) {
          _ = gossip.deliver(.entries([entry], goesOn: false), to: 0)
        }
      }
      for _ in 0..<2 {
        for (one, other) in [(0, 1), (1, 2), (2, 0), (1, 0)] {
          let isStill = gossip.compare(one, other)
          #expect(isStill)
        }
      }
      #expect(Set(gossip.registries.map(\.book.digest)).count == 1)
      #expect(gossip.registries[2].models.count == 36)
    }
  }

  @Test(arguments: 1...40 as ClosedRange<UInt64>)
  func `a forked log is caught by everybody, and what came before the fork stays`(
    _ seed: UInt64
  ) throws {
    var generator = Xorshift(state: seed)
    let author = try Author(1)
    let fork = Int.random(in: 1...8, using: &generator)
    let branches = [1, 2, 3].map { mark in
      author.history(Int.random(in: 8...11, using: &generator), fork: fork, mark: mark)
    }
    var gossip = Gossip(3)
    for (peer, branch) in branches.enumerated() {
      for entry in branch { _ = gossip.deliver(.entries([entry], goesOn: false), to: peer) }
    }
    for _ in 0..<4 {
      for (one, other) in [(0, 1), (1, 2), (2, 0)].shuffled(using: &generator) {
        let isStill = gossip.compare(one, other)
        #expect(isStill)
      }
    }
    #expect(Set(gossip.registries.map(\.book.digest)).count == 1)
    for (registry, events) in zip(gossip.registries, gossip.told) {
      #expect(registry.book.fork(author.log)?.sequence == UInt64(fork))
      #expect(registry.models.count == fork - 1)
      // Each change that was seen and lies behind the fork was taken back once, the newest first.
      let undone = events.compactMap { event -> UInt64? in
        guard case .undone(let news) = event else { return nil }
        return news.cursor.sequence
      }
      #expect(undone == undone.sorted(by: >) && Set(undone).count == undone.count)
      #expect(undone.last == UInt64(fork))
    }
    // Nothing more is taken from it.
    let later = author.history(12, fork: fork, mark: 1)[11]
    #expect(gossip.deliver(.entries([later], goesOn: false), to: 0).appended.isEmpty)
  }

  @Test func `a proof of a fork needs two signatures of one author for one place`() throws {
    let (author, other) = (try Author(1), try Author(2))
    let one = author.history(3, fork: 2, mark: 1)
    let two = author.history(3, fork: 2, mark: 2)
    #expect(ForkProof(one[1], two[1]) != nil)
    #expect(ForkProof(one[1], one[1]) == nil)
    #expect(ForkProof(one[1], two[2]) == nil)
    #expect(ForkProof(one[1], other.history(3)[1]) == nil)
    let forged = SignedLogEntry(entry: two[1].entry, signature: one[1].signature)
    let proof = try #require(ForkProof(one[1], forged))
    var book = LogBook(verify: Author.verification)
    let outcome = book.merge(proof)
    #expect(outcome == .refused(.badSignature))
    // One and the same proof, whoever found it.
    #expect(ForkProof(one[1], two[1]) == ForkProof(two[1], one[1]))
  }

  @Test func `an entry with another's signature, or a changed one, is refused`() throws {
    let author = try Author(1)
    let entry = author.history(1)[0]
    let other = try Author(2).sign(entry.entry)
    var book = LogBook(verify: Author.verification)
    let outcomes = [
      other, SignedLogEntry(entry: entry.entry, signature: Array(repeating: 0, count: 64)),
    ]
    .map { book.merge($0) }
    #expect(outcomes == [.refused(.badSignature), .refused(.badSignature)])
    #expect(book.heads.isEmpty)
  }

  @Test func `every message fits a datagram, the longest too`() throws {
    let author = try Author(1)
    let long = (0..<20).map { number in
      author.sign(
        LogEntry(
          log: author.log, sequence: UInt64(number + 1), previous: word(1), written: .max,
          body: [UInt8](repeating: 1, count: LogEntry.bodyLimit)))
    }
    let twin = author.sign(
      LogEntry(
        log: author.log, sequence: 1, previous: word(2), written: .max,
        body: [UInt8](repeating: 2, count: LogEntry.bodyLimit)))
    var book = LogBook(verify: Author.verification)
    for seed in 1...30 as ClosedRange<UInt8> { _ = book.merge(try Author(seed).history(1)[0]) }
    let messages =
      LogReaction(appended: long).news + [.fork(try #require(ForkProof(long[0], twin)))]
      + book.receive(.digest(.zero)).replies
    for message in messages {
      #expect(message.bytes.count <= GossipMessage.payloadBytes)
      #expect(try LogMessage(bytes: message.bytes) == message)
    }
    let carried = messages.reduce(0) { sum, message in
      guard case .entries(let entries, _) = message else { return sum }
      return sum + entries.count
    }
    #expect(carried == 20)
    // The longest change that a person can make fits an entry.
    let change = RegistryChange(
      kind: .update, name: String(repeating: "n", count: ModelEntry.nameLimit), replaces: .max,
      model: ModelID(word(1)), byteCount: .max,
      location: String(repeating: "l", count: RegistryChange.locationLimit))
    #expect(change.bytes.count <= LogEntry.bodyLimit)
  }

  @Test func `bytes that mean nothing are refused and never trap`() throws {
    var generator = Xorshift(state: 9)
    let author = try Author(1)
    let messages: [LogMessage] = [
      .digest(word(1)), .want(author.log, after: 3), .entries(author.history(3), goesOn: true),
    ]
    for message in messages {
      for count in 0..<message.bytes.count {
        #expect(throws: WireError.self) {
          try LogMessage(bytes: Array(message.bytes.prefix(count)))
        }
      }
      for _ in 0..<300 {
        var bytes = message.bytes
        let index = Int.random(in: bytes.indices, using: &generator)
        bytes[index] = UInt8.random(in: .min ... .max, using: &generator)
        guard let read = try? LogMessage(bytes: bytes) else { continue }
        var registry = EmbeddedRegistry(verify: Author.verification)
        _ = registry.receive(read)
      }
    }
    var registry = EmbeddedRegistry(verify: Author.verification)
    for sequence in [0, 1, UInt64.max] {
      _ = registry.receive(.want(author.log, after: sequence))
      _ = registry.receive(
        .heads([LogHead(log: author.log, sequence: sequence, id: word(1), fork: sequence)]))
    }
  }
}
