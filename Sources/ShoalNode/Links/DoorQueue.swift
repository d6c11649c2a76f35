// Accepted connections before and after their handshake: how many strangers may knock at once, and
// how many connections one peer may have.

internal import ShoalProtocol
private import Synchronization

/// Connections whose handshake is under way. Where there are too many, the next closes the oldest.
final class DoorQueue: Sendable {
  private struct State {
    var room = WaitingRoom<ObjectIdentifier>(
      limit: Limits.unprovenStreams, limitOfOne: Limits.unprovenStreamsOfOne)
    var streams: [ObjectIdentifier: any ByteStream] = [:]
  }
  private let state = Mutex(State())

  func enter(_ stream: any ByteStream) {
    let name = ObjectIdentifier(stream)
    let oldest = state.withLock { state in
      state.streams[name] = stream
      return state.room.enter(name, from: stream.remote).flatMap {
        state.streams.removeValue(forKey: $0)
      }
    }
    oldest?.close()
  }

  func leave(_ stream: any ByteStream) {
    let name = ObjectIdentifier(stream)
    state.withLock { state in
      state.room.leave(name)
      state.streams[name] = nil
    }
  }
}

/// Connections that each peer has open here.
final class PeerPlaces: Sendable {
  private let taken = Mutex<[PeerID: Int]>([:])

  /// False: the peer has as many as it may.
  func take(_ peer: PeerID) -> Bool {
    taken.withLock { taken in
      guard taken[peer, default: 0] < Limits.streamsOfOnePeer else { return false }
      taken[peer, default: 0] += 1
      return true
    }
  }

  func give(_ peer: PeerID) {
    taken.withLock { taken in
      let left = taken[peer, default: 1] - 1
      taken[peer] = left == 0 ? nil : left
    }
  }
}
