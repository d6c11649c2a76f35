// What goes wrong at a rank reaches the entry with its name and its numbers.

import ShoalInference
import ShoalNode
import ShoalProtocol
import Testing

@Suite struct RankErrorTests {
  private static let rank = PeerID(filled(1))
  private static let entry = PeerID(filled(2))
  private static let holder = PeerID(filled(3))
  private static let blob = BlobID(filled(4))

  private static func filled(_ byte: UInt8) -> Bytes32 {
    Bytes32([UInt8](repeating: byte, count: 32)) ?? .zero
  }

  private struct Stranger: Error {}

  @Test func `each error of a rank is a failure of its own`() {
    let (rank, entry, holder, blob) = (Self.rank, Self.entry, Self.holder, Self.blob)
    let cases: [(any Error, JobFailure)] = [
      (JobFailure.notInPlan, .notInPlan),
      (FetchError.nobodyHolds(blobs: 3), .missingAtoms(count: 3)),
      (FetchError.holdersSilent(blobs: 3, holders: 2), .holdersSilent(atoms: 3, holders: 2)),
      (
        FetchError.badAnswer(holder),
        .protocolViolation(holder, .invalid(field: "answer of a holder"))
      ),
      (BlobStoreError.missing(blob), .missingAtoms(count: 1)),
      (BlobStoreError.corrupt(blob, found: .zero), .damagedAtom(blob)),
      (
        BlobStoreError.diskFull(path: "a", need: ByteCount(9), available: ByteCount(4)),
        .diskFull(rank, needed: 9, available: 4)
      ),
      (BlobStoreError.system(call: "read", path: "a", code: 5), .diskFailed(rank, code: 5)),
      (
        LibraryError.tooLarge(needed: ByteCount(9), available: ByteCount(4)),
        .diskFull(rank, needed: 9, available: 4)
      ),
      (ModelError.damagedAtom(blob, reason: "short"), .damagedAtom(blob)),
      (ModelError.otherVersion(found: 9, known: 3), .modelRefused(rank)),
      (InferenceError.notFinite(layer: 3), .numericRange(layer: 3)),
      (WireError.trailing(bytes: 3), .protocolViolation(entry, .trailing(bytes: 3))),
      (FrameLinkError.link(.closed), .peerLost(entry)),
      (CancellationError(), .leaving),
      (Stranger(), .unexplained(rank)),
    ]
    for (error, failure) in cases {
      #expect(JobFailure(error, of: rank, entry: entry) == failure, "\(error)")
    }
  }
}
