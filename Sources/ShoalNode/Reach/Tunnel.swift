// A connection through a third peer: bytes inside frames of a stream to it. Its ends shake hands
// with each other inside, so that whoever carries sees nothing but sealed bytes.

internal import ShoalProtocol

/// First for the handshake, asynchronous, then for the data path, blocking. Used by one thread at a
/// time, except for `close` and `shutdown`.
final class Tunnel: ByteStream, DirectLink, @unchecked Sendable {
  private let link: any FrameLink
  private let threads: any ThreadSource
  /// Of the last piece, what was not asked for yet.
  private var rest: ArraySlice<UInt8> = []

  init(_ link: any FrameLink, threads: any ThreadSource) {
    (self.link, self.threads) = (link, threads)
  }

  /// Nobody's: whoever carries says nothing of addresses.
  var remote: Endpoint {
    guard let nowhere = Endpoint(address: [0, 0, 0, 0], port: 0) else {
      preconditionFailure("four bytes are an address")
    }
    return nowhere
  }

  // MARK: ByteStream

  func read(exactly count: Int, deadline: Moment?) async throws -> [UInt8] {
    let room = ThreadRoom(threads.thread(name: "tunnel"))
    defer { room.close() }
    return try await room.perform { [self] in
      var bytes = [UInt8](repeating: 0, count: count)
      try unsafe bytes.withUnsafeMutableBytes { unsafe try receive(into: $0, deadline: deadline) }
      return bytes
    }
  }

  func write(_ bytes: [UInt8], deadline: Moment?) async throws {
    try unsafe bytes.withUnsafeBytes { unsafe try send($0) }
  }

  func close() { link.shutdown() }

  func takeDirect(waiting: WaitStrategy) throws -> any DirectLink { self }

  // MARK: DirectLink

  func send(_ bytes: UnsafeRawBufferPointer) throws(LinkError) {
    var sent = 0
    while sent < bytes.count {
      let piece = min(bytes.count - sent, Limits.relayPieceBytes)
      do {
        try unsafe link.send(.relay, capacity: piece) { buffer in
          unsafe buffer.copyMemory(
            from: UnsafeRawBufferPointer(rebasing: bytes[sent..<sent + piece]))
          return piece
        }
      } catch FrameLinkError.link(let error) {
        throw error
      } catch {
        throw .closed
      }
      sent += piece
    }
  }

  func receive(
    into buffer: UnsafeMutableRawBufferPointer, deadline: Moment?
  ) throws(LinkError) {
    var filled = 0
    while filled < buffer.count {
      if rest.isEmpty { rest = try nextPiece(deadline) }
      let count = min(rest.count, buffer.count - filled)
      unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[filled..<filled + count])
        .copyBytes(from: rest.prefix(count))
      rest = rest.dropFirst(count)
      filled += count
    }
  }

  private func nextPiece(_ deadline: Moment?) throws(LinkError) -> ArraySlice<UInt8> {
    do {
      let frame = try link.receive(deadline: deadline)
      guard frame.type == .relay else { throw FrameLinkError.unexpected(frame.type) }
      return unsafe ArraySlice(frame.payload)
    } catch FrameLinkError.link(let error) {
      throw error
    } catch {
      throw .closed
    }
  }

  func shutdown() { link.shutdown() }
}
