// Carries streams between two peers that do not reach each other: frames of one go to the other as
// they come.

internal import ShoalProtocol

struct RelayHost: Sendable {
  let door: StreamDoor
  let membership: Membership
  let threads: any ThreadSource
  /// Whether this peer volunteers.
  let isWilling: Bool
  private let places = SharedPlaces(.relays)

  init(
    door: StreamDoor, membership: Membership, threads: any ThreadSource, isWilling: Bool
  ) {
    (self.door, self.membership) = (door, membership)
    (self.threads, self.isWilling) = (threads, isWilling)
  }

  /// Until one of the two ends it.
  func serve(_ link: any FrameLink, to target: PeerID) async {
    defer { link.shutdown() }
    guard isWilling, target != link.peer, places.take(link.peer) else { return }
    defer { places.give(link.peer) }
    guard let record = await membership.record(of: target),
      let onward = try? await door.dialAlone(record, .relayed(from: link.peer))
    else { return }
    defer { onward.shutdown() }
    await withTaskCancellationHandler {
      await withTaskGroup(of: Void.self) { group in
        group.addTask { await carry(from: link, to: onward) }
        group.addTask { await carry(from: onward, to: link) }
      }
    } onCancel: {
      link.shutdown()
      onward.shutdown()
    }
  }

  private func carry(from source: any FrameLink, to target: any FrameLink) async {
    let room = ThreadRoom(threads.thread(name: "relay"))
    defer { room.close() }
    try? await room.perform {
      defer {
        source.shutdown()
        target.shutdown()
      }
      while true {
        let frame = try source.receive(deadline: nil)
        guard frame.type == .relay else { throw FrameLinkError.unexpected(frame.type) }
        let count = unsafe frame.payload.count
        try unsafe target.send(.relay, capacity: count) { buffer in
          unsafe buffer.copyMemory(from: frame.payload)
          return count
        }
      }
    }
  }
}
