// Authors with keys, and what they sign.

import ShoalLedger
import ShoalProtocol
import ShoalSecurity
import Testing

struct Author {
  static let purpose = SigningPurpose("test log")
  let identity: PeerIdentity
  var log: LogName { LogName(author: identity.id, topic: .registry) }

  init(_ seed: UInt8) throws {
    identity = try #require(PeerIdentity(seed: SecretBytes([UInt8](repeating: seed, count: 32))))
  }

  static let verification: LogVerification = { signed in
    guard let signature = Signature(signed.signature) else { return false }
    return signature.isValid(for: signed.entry.bytes, purpose: purpose, by: signed.entry.log.author)
  }

  func sign(_ entry: LogEntry) -> SignedLogEntry {
    SignedLogEntry(
      entry: entry, signature: identity.sign(entry.bytes, purpose: Self.purpose).bytes)
  }

  /// A log of `count` entries; from `fork` on they differ by `mark`.
  func history(_ count: Int, fork: Int = .max, mark: UInt8 = 0) -> [SignedLogEntry] {
    var entries: [SignedLogEntry] = []
    for sequence in 1...count {
      let change = RegistryChange(
        kind: .register, name: "model \(sequence)", replaces: 0,
        model: ModelID(word(sequence >= fork ? mark : 0)), byteCount: 1, location: "")
      entries.append(
        sign(
          LogEntry(
            log: log, sequence: UInt64(sequence), previous: entries.last?.id ?? .zero,
            written: 0, body: change.bytes)))
    }
    return entries
  }
}

/// Books of several peers that talk until they have nothing more to say.
struct Gossip {
  var registries: [EmbeddedRegistry]
  var told: [[RegistryEvent]]

  init(_ count: Int) {
    registries = (0..<count).map { _ in EmbeddedRegistry(verify: Author.verification) }
    told = registries.map { _ in [] }
  }

  mutating func deliver(_ message: LogMessage, to peer: Int) -> LogReaction {
    let (reaction, events) = registries[peer].receive(message)
    told[peer] += events
    return reaction
  }

  /// One peer greets another, and both answer until they are still. False: they never are.
  mutating func compare(_ one: Int, _ other: Int) -> Bool {
    var mail = [(to: other, from: one, registries[one].book.greeting)]
    var rounds = 0
    while let (to, from, message) = mail.popLast() {
      rounds += 1
      guard rounds < 2_000 else { return false }
      mail += deliver(message, to: to).replies.map { (to: from, from: to, $0) }
    }
    return true
  }
}
