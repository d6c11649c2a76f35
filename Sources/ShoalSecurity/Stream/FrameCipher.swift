// Frames on a stream: sealed and opened in place, in the caller's buffers, with no allocation.

/// Why a frame was refused. A stream that refused one is over: its counters no longer agree.
public enum FrameError: Error, Hashable, Sendable {
  case unknownType(UInt8)
  case tooLong(type: UInt8, limit: Int, announced: Int)
  /// A length that has no room for the tag.
  case tooShort(announced: Int)
  /// The caller's buffer is smaller than the frame.
  case bufferTooSmall(need: Int, have: Int)
  case notAuthentic
  /// This key has sealed or opened all that it may.
  case exhausted
}

/// The five bytes before each sealed payload, authenticated with it.
///
///     0  u32  bytes that follow the header: payload and 16 bytes of tag
///     4  u8   type
public struct FrameHeader: Hashable, Sendable {
  public static let count = 5
  /// What a frame adds to its payload.
  public static let overhead = count + CipherKey.tagBytes
  /// Tells the receiver to rekey after this frame, whose payload is empty. Not for the caller.
  public static let rekeyType: UInt8 = 255

  public let type: UInt8
  /// What follows the header, tag included.
  public let sealedCount: Int
  public var payloadCount: Int { sealedCount - CipherKey.tagBytes }
}

/// The longest payload of each frame type, in bytes. Types that are not listed are refused.
public struct FrameLimits: Sendable {
  private let limits: [Int32]

  /// Each limit is at most 2^31 - 1 less the tag, since a length has 32 bits.
  public init(_ limits: [UInt8: Int]) {
    var table = [Int32](repeating: -1, count: 256)
    for (type, limit) in limits {
      precondition(type != FrameHeader.rekeyType, "type 255 is the stream's own")
      precondition(limit >= 0 && limit < Int(Int32.max) - CipherKey.tagBytes, "limit of \(limit)")
      table[Int(type)] = Int32(limit)
    }
    table[Int(FrameHeader.rekeyType)] = 0
    self.limits = table
  }

  /// Nil for an unknown type.
  public subscript(type: UInt8) -> Int? {
    let limit = limits[Int(type)]
    return limit < 0 ? nil : Int(limit)
  }
}

/// Seals one direction of a stream. The nonce is the number of frames so far (Noise, section 5.1),
/// so no frame can be dropped, repeated or moved unnoticed.
public struct FrameSealer: ~Copyable, Sendable {
  private var key: CipherKey
  private var nonce: UInt64 = 0
  /// Frames under the present key; above `frameLimit` the caller must have rekeyed.
  private var framesOfKey: UInt64 = 0

  /// 2^60, where wire.md's rekeying by count lies.
  static let frameLimit: UInt64 = 1 << 60

  package init(_ key: CipherKey) { self.key = key }

  /// Seals the `payloadCount` bytes that lie behind `FrameHeader.count` bytes of `buffer`.
  /// - Returns: how many bytes of `buffer` are to be sent, from its start.
  public mutating func seal(
    type: UInt8, in buffer: UnsafeMutableRawBufferPointer, payloadCount: Int
  ) throws(FrameError) -> Int {
    precondition(type != FrameHeader.rekeyType, "type 255 is the stream's own")
    return try unsafe sealFrame(type: type, in: buffer, payloadCount: payloadCount)
  }

  /// Seals an order to rekey and rekeys (Noise, section 4.2): due every 120 s or 2^60 frames.
  /// - Returns: how many bytes of `buffer`, which needs `FrameHeader.overhead`, are to be sent.
  public mutating func rekey(
    in buffer: UnsafeMutableRawBufferPointer
  ) throws(FrameError) -> Int {
    let count = try unsafe sealFrame(
      type: FrameHeader.rekeyType, in: buffer, payloadCount: 0)
    key = key.rekeyed()
    framesOfKey = 0
    return count
  }

  private mutating func sealFrame(
    type: UInt8, in buffer: UnsafeMutableRawBufferPointer, payloadCount: Int
  ) throws(FrameError) -> Int {
    precondition(payloadCount >= 0, "\(payloadCount) bytes of payload")
    let frameCount = payloadCount + FrameHeader.overhead
    guard let start = buffer.baseAddress, buffer.count >= frameCount else {
      throw .bufferTooSmall(need: frameCount, have: buffer.count)
    }
    // The order to rekey may still pass when the key is exhausted for payloads.
    let isRekey = type == FrameHeader.rekeyType
    guard framesOfKey < FrameSealer.frameLimit || isRekey, nonce < .max - 1 else {
      throw .exhausted
    }
    let sealedCount = UInt32(payloadCount + CipherKey.tagBytes)
    unsafe start.storeBytes(of: sealedCount.littleEndian, as: UInt32.self)
    unsafe start.storeBytes(of: type, toByteOffset: 4, as: UInt8.self)
    unsafe key.seal(
      start + FrameHeader.count, count: payloadCount, nonce: nonce,
      data: UnsafeRawBufferPointer(start: start, count: FrameHeader.count))
    nonce += 1
    framesOfKey += 1
    return frameCount
  }
}

/// Opens one direction of a stream.
public struct FrameOpener: ~Copyable, Sendable {
  private var key: CipherKey
  private var nonce: UInt64 = 0
  private var isBroken = false

  package init(_ key: CipherKey) { self.key = key }

  /// Reads a header (`FrameHeader.count` bytes) and checks it against `limits`, before anything is
  /// allocated or received for the frame.
  public func header(
    _ bytes: UnsafeRawBufferPointer, limits: borrowing FrameLimits
  ) throws(FrameError) -> FrameHeader {
    guard bytes.count >= FrameHeader.count else {
      throw .bufferTooSmall(need: FrameHeader.count, have: bytes.count)
    }
    let announced = Int(UInt32(littleEndian: unsafe bytes.loadUnaligned(as: UInt32.self)))
    let type = unsafe bytes[4]
    guard let limit = limits[type] else { throw .unknownType(type) }
    guard announced >= CipherKey.tagBytes else { throw .tooShort(announced: announced) }
    guard announced - CipherKey.tagBytes <= limit else {
      throw .tooLong(type: type, limit: limit, announced: announced - CipherKey.tagBytes)
    }
    return FrameHeader(type: type, sealedCount: announced)
  }

  /// Opens what followed `header` in place: `sealedCount` bytes at the start of `buffer`.
  /// - Returns: how many bytes of payload now lie there; nil for an order to rekey, which is done.
  public mutating func open(
    _ header: FrameHeader, in buffer: UnsafeMutableRawBufferPointer
  ) throws(FrameError) -> Int? {
    guard let start = buffer.baseAddress, buffer.count >= header.sealedCount else {
      throw .bufferTooSmall(need: header.sealedCount, have: buffer.count)
    }
    guard !isBroken else { throw .notAuthentic }
    guard nonce < .max - 1 else { throw .exhausted }
    // The header as it was on the wire, on the stack: length, type.
    var wire = (UInt32(header.sealedCount).littleEndian, header.type)
    let authentic = unsafe withUnsafeBytes(of: &wire) { bytes in
      unsafe key.open(
        start, sealedCount: header.sealedCount, nonce: nonce,
        data: UnsafeRawBufferPointer(rebasing: bytes.prefix(FrameHeader.count)))
    }
    guard authentic else {
      isBroken = true
      throw .notAuthentic
    }
    nonce += 1
    guard header.type != FrameHeader.rekeyType else {
      key = key.rekeyed()
      return nil
    }
    return header.payloadCount
  }
}
