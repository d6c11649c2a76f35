// Accepted connections before and after their handshake: how many strangers may knock at once, and
// how many connections one peer may have.

internal import ShoalProtocol
private import Synchronization

/// Connections whose handshake is under way. Where there are too many, the next closes the oldest.
final class DoorQueue: Sendable {
  private struct State {
    var room = WaitingRoom<ObjectIdentifier>.strangers
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

/// Places that many tasks take and give back.
final class SharedPlaces: Sendable {
  private let places: Mutex<Places>

  init(_ places: Places) { self.places = Mutex(places) }

  /// False: all are taken, or the peer has its share.
  func take(_ peer: PeerID) -> Bool { places.withLock { $0.take(peer) } }

  func give(_ peer: PeerID) { places.withLock { $0.give(peer) } }
}
