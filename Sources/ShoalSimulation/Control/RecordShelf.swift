// Records that peers of one process share: read and verified once, held once.

internal import ShoalProtocol
private import Synchronization

/// A mesh of a thousand holds a million records, of which a few thousand differ.
final class RecordShelf: Sendable {
  /// By the first bytes of the signature, which follow from all the others.
  private let held = Mutex<[UInt64: HeldRecord]>([:])
  private let verify: RecordVerification

  /// Records kept: more than are about at a time.
  private static let most = 1 << 16

  init(_ verify: @escaping RecordVerification) { self.verify = verify }

  var reading: RecordReading { { self.read($0) } }

  private func read(_ signed: SignedRecord) -> HeldRecord? {
    let key = signed.signature.prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    if let known = held.withLock({ $0[key] }), known.signed == signed { return known }
    guard let record = try? signed.record(), verify(signed) else { return nil }
    let fresh = HeldRecord(signed, record)
    held.withLock { shelf in
      if shelf.count >= Self.most { shelf = [:] }
      shelf[key] = fresh
    }
    return fresh
  }
}
