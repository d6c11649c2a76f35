// What a rank's own errors are to the entry: each has a name and its numbers.

package import ShoalInference
package import ShoalProtocol

extension JobFailure {
  /// What `error` means of the rank at `peer`, in a job that `entry` drives.
  package init(_ error: any Error, of peer: PeerID, entry: PeerID) {
    self =
      switch error {
      case let failure as JobFailure: failure
      case let error as BlobStoreError: Self(error, of: peer)
      case let error as LibraryError: Self(error, of: peer)
      case let error as FetchError: Self(error)
      case ModelError.damagedAtom(let blob, _): .damagedAtom(blob)
      case is ModelError: .modelRefused(peer)
      case let error as InferenceError: Self(error)
      case let wire as WireError: .protocolViolation(entry, wire)
      case is FrameLinkError, is LinkError: .peerLost(entry)
      case is PlanError: .notInPlan
      // The peer is on its way out, and another may serve; the job itself goes on.
      case is CancellationError: .leaving
      case _: .unexplained(peer)
      }
  }

  private init(_ error: BlobStoreError, of peer: PeerID) {
    self =
      switch error {
      case .missing: .missingAtoms(count: 1)
      case .corrupt(let blob, _), .tooLarge(let blob, _, _), .offset(let blob, _, _):
        .damagedAtom(blob)
      case .diskFull(_, let need, let available):
        .diskFull(peer, needed: need.bytes, available: available.bytes)
      case .system(_, _, let code): .diskFailed(peer, code: UInt32(bitPattern: code))
      }
  }

  private init(_ error: LibraryError, of peer: PeerID) {
    self =
      switch error {
      case .damaged(let blob, _): .damagedAtom(blob)
      case .tooLarge(let needed, let available):
        .diskFull(peer, needed: needed.bytes, available: available.bytes)
      case .unknownModel: .modelRefused(peer)
      }
  }

  private init(_ error: FetchError) {
    self =
      switch error {
      case .nobodyHolds(let blobs): .missingAtoms(count: blobs)
      case .holdersSilent(let blobs, let holders): .holdersSilent(atoms: blobs, holders: holders)
      case .badAnswer(let holder):
        .protocolViolation(holder, .invalid(field: "answer of a holder"))
      }
  }

  package init(_ error: InferenceError) {
    self =
      switch error {
      case .notFinite(let layer), .outOfRange(let layer): .numericRange(layer: layer)
      }
  }
}
