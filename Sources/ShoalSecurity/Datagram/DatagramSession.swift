// One agreed pair of keys between two peers, and the sealed datagrams under it.
import ShoalProtocol

/// A sealed datagram:
///
///       0  u8       type, 7
///       1  u32      index that the receiver gave to the session
///       5  u64      counter, which is the nonce
///      13  n + 16   ChaCha20-Poly1305 over n bytes of payload; the first 13 bytes authenticated
package struct SealedDatagram: Sendable {
  package static let type: UInt8 = 7
  static let headerBytes = 13
  package static let overhead = headerBytes + CipherKey.tagBytes

  let receiver: UInt32
  let counter: UInt64
  let header: [UInt8]
  let sealed: [UInt8]

  /// Nil for bytes that are no sealed datagram.
  init?(_ bytes: [UInt8]) {
    guard bytes.first == SealedDatagram.type, bytes.count >= SealedDatagram.overhead,
      bytes.count <= Limits.datagramBytes
    else { return nil }
    receiver = littleEndian(bytes[1..<5])
    counter = littleEndian(bytes[5..<13])
    header = Array(bytes.prefix(SealedDatagram.headerBytes))
    sealed = Array(bytes.dropFirst(SealedDatagram.headerBytes))
  }
}

/// A number of a fixed place in bytes whose count is known.
func littleEndian<Number: FixedWidthInteger>(_ bytes: ArraySlice<UInt8>) -> Number {
  bytes.reversed().reduce(0) { $0 << 8 | Number(truncatingIfNeeded: $1) }
}

struct DatagramSession: Sendable {
  let remote: RemotePeer
  let localIndex: UInt32
  let remoteIndex: UInt32
  let created: Moment
  let role: HandshakeRole
  /// Whether the peer is known to hold the keys. An initiator of IK knows by the answer, a
  /// responder by the first datagram: a replayed initiation gets no further.
  var isConfirmed: Bool
  /// The mark of the third packet of XX, to know it again: its sender has not heard from us.
  let thirdMark: [UInt8]?
  private let sendKey: CipherKey
  private let receiveKey: CipherKey
  private var nextCounter: UInt64 = 0
  private var window = ReplayWindow()

  init(
    _ handshake: PeerHandshake, remote: RemotePeer, role: HandshakeRole, isConfirmed: Bool,
    thirdMark: [UInt8]? = nil, created: Moment
  ) {
    let keys = handshake.split()
    (self.remote, self.role, self.isConfirmed) = (remote, role, isConfirmed)
    (localIndex, remoteIndex) = (handshake.index, handshake.remoteIndex)
    (self.thirdMark, self.created) = (thirdMark, created)
    (sendKey, receiveKey) = (keys.send, keys.receive)
  }

  var peer: PeerID { remote.id }

  /// Old enough for its initiator to make the next one. The responder waits ten seconds more, so
  /// that both do not start at once.
  func wantsSuccessor(at now: Moment) -> Bool {
    let age = now - created
    switch role {
    case .initiator: return age >= DatagramTimes.rekey || nextCounter >= FrameSealer.frameLimit
    case .responder: return age >= DatagramTimes.rekey + DatagramTimes.yield
    }
  }

  func isExpired(at now: Moment) -> Bool { now - created >= DatagramTimes.expiry }

  mutating func seal(_ payload: [UInt8]) -> [UInt8] {
    var writer = ByteWriter(reserving: payload.count + SealedDatagram.overhead)
    writer.integer(SealedDatagram.type)
    writer.integer(remoteIndex)
    writer.integer(nextCounter)
    let header = writer.bytes
    writer.raw(sendKey.seal(payload, nonce: nextCounter, data: header))
    nextCounter += 1
    return writer.bytes
  }

  /// Nil for a datagram that is a replay, too old or not authentic.
  mutating func open(_ datagram: SealedDatagram) -> [UInt8]? {
    guard datagram.counter < .max, window.admits(datagram.counter),
      let payload = receiveKey.open(
        datagram.sealed, nonce: datagram.counter, data: datagram.header)
    else { return nil }
    window.accept(datagram.counter)
    return payload
  }
}

/// When things are due. Reasons beside each.
enum DatagramTimes {
  /// wire.md: keys live two minutes (as WireGuard's do, whitepaper section 6.1).
  static let rekey = Duration.seconds(120)
  static let yield = Duration.seconds(10)
  /// Until then a session opens what was under way when its successor came.
  static let expiry = Duration.seconds(180)
  /// The first wait for an answer; each further one is twice as long: longer than most round trips,
  /// shorter than a person's patience.
  static let firstRetry = Duration.seconds(1)
  /// 1 + 2 + 4 + 8 seconds; then what was queued is given up.
  static let attempts = 4
  /// IK may fail for a peer whose keys or whose clock changed; then XX, which trusts neither.
  static let attemptsByKnownKey = 2
  /// Something arrived and nothing was sent for as long: an empty datagram says that we live.
  static let keepAlive = Duration.seconds(10)
  /// Something was sent and nothing arrived for as long: the peer may have restarted.
  static let silence = Duration.seconds(15)
  /// Proofs of address are as old as two of these at most.
  static let cookie = Duration.seconds(60)
}
