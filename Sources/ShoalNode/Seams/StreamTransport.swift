// The seam to byte streams: TCP in production, the simulated network in tests.

public import ShoalProtocol

/// Why a stream or a link could not go on.
public enum LinkError: Error, Hashable, Sendable {
  /// The other side, or `close`/`shutdown` on this side, ended it.
  case closed
  /// Nothing for that long, counted from the call.
  case timedOut(afterNanoseconds: Int64)
  /// Nobody listens there.
  case refused(Endpoint)
  /// More than the limit in one call.
  case tooLong(limit: Int, asked: Int)
  case system(call: String, code: Int32)
}

/// Opens and accepts streams.
public protocol StreamTransport: Sendable {
  /// The addresses that `accepted` comes from.
  var localEndpoints: [Endpoint] { get }

  /// One reader. Bounded by `Limits.acceptedStreams`: connections beyond it are closed at once.
  /// Ends when the transport closes.
  var accepted: AsyncStream<any ByteStream> { get }

  /// Throws `LinkError`.
  func connect(to endpoint: Endpoint, deadline: Moment) async throws -> any ByteStream

  /// Stops listening. Open streams live on.
  func close()
}

/// One connection, as the handshake and the shard class use it: asynchronous, one reader and one
/// writer at a time, no thread of the cooperative pool ever blocked.
public protocol ByteStream: AnyObject, Sendable {
  var remote: Endpoint { get }

  /// Exactly `count` bytes. Throws `LinkError`: `.closed` also where the end comes early.
  func read(exactly count: Int, deadline: Moment?) async throws -> [UInt8]

  /// All of `bytes`. Throws `LinkError`.
  func write(_ bytes: [UInt8], deadline: Moment?) async throws

  /// Ends the connection; pending reads and writes throw `.closed`.
  func close()

  /// Hands the connection over for synchronous use; this stream then answers `.closed`.
  /// No read or write may be pending. Throws `LinkError`.
  func takeDirect(waiting: WaitStrategy) throws -> any DirectLink
}

/// How a blocked receive waits.
public enum WaitStrategy: Hashable, Sendable {
  /// Sleep in the kernel at once: right where threads exceed cores.
  case sleep
  /// Look again for up to 200 microseconds before sleeping, as long as that pays.
  case adaptive
}

/// One connection on the data path: synchronous, for the thread that owns it, without allocation.
public protocol DirectLink: AnyObject, Sendable {
  var remote: Endpoint { get }

  /// Sends all of `bytes`. Where both sides send more than the kernel buffers before either
  /// receives, what arrives meanwhile is set aside (up to `Limits.linkStagingBytes`), so that two
  /// equal peers never wait for each other.
  func send(_ bytes: UnsafeRawBufferPointer) throws(LinkError)

  /// Fills all of `buffer`. After an error the position in the stream is lost: shut down.
  func receive(
    into buffer: UnsafeMutableRawBufferPointer, deadline: Moment?
  ) throws(LinkError)

  /// At least `minimum` bytes into the start of `buffer`, and what else has come; how many.
  func receive(
    atLeast minimum: Int, into buffer: UnsafeMutableRawBufferPointer, deadline: Moment?
  ) throws(LinkError) -> Int

  /// Whether the two below tell the truth; where not, a link carries one stream only.
  var looksAhead: Bool { get }

  /// Whether a receive would return at once, be it with an error.
  var hasInput: Bool { get }

  /// Takes no thread while it waits for `hasInput`. False at `deadline` or when the task is
  /// cancelled.
  func waitForInput(until deadline: Moment) async -> Bool

  /// Ends the connection and wakes a blocked `receive` or `send`. Any thread may call it.
  func shutdown()
}

/// A link that cannot look ahead carries one stream and is closed after it.
extension DirectLink {
  public func receive(
    atLeast minimum: Int, into buffer: UnsafeMutableRawBufferPointer, deadline: Moment?
  ) throws(LinkError) -> Int {
    try unsafe receive(
      into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<minimum]), deadline: deadline)
    return minimum
  }
  public var looksAhead: Bool { false }
  public var hasInput: Bool { true }
  public func waitForInput(until deadline: Moment) async -> Bool { false }
}
