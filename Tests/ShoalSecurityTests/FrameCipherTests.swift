// Frames: what is sealed opens once, in order, under its header, and nothing else does.
import ShoalProtocol
import ShoalSecurity
import Testing

@Suite struct FrameCipherTests {
  static let suites = CipherSuite.allCases.filter { CipherSuites.ofThisMachine.contains($0) }
  static let limits = FrameLimits([1: 64, 2: 4096, 3: 0])

  static func key(_ suite: CipherSuite) -> CipherKey {
    CipherKey(SecretBytes((0..<32).map { UInt8($0) }), suite: suite)
  }

  struct Pipe: ~Copyable {
    var sealer: FrameSealer
    var opener: FrameOpener

    init(_ suite: CipherSuite) {
      sealer = FrameSealer(key(suite))
      opener = FrameOpener(key(suite))
    }

    mutating func seal(_ type: UInt8, _ payload: [UInt8]) throws(FrameError) -> [UInt8] {
      var buffer = [UInt8](repeating: 0, count: FrameHeader.count) + payload
      buffer += [UInt8](repeating: 0, count: 16)
      return try unsafe sealed(&buffer) { (sealer, bytes) throws(FrameError) in
        try unsafe sealer.seal(type: type, in: bytes, payloadCount: payload.count)
      }
    }

    mutating func rekey() throws(FrameError) -> [UInt8] {
      var buffer = [UInt8](repeating: 0, count: FrameHeader.overhead)
      return try unsafe sealed(&buffer) { (sealer, bytes) throws(FrameError) in
        try unsafe sealer.rekey(in: bytes)
      }
    }

    private mutating func sealed(
      _ buffer: inout [UInt8],
      _ body: (inout FrameSealer, UnsafeMutableRawBufferPointer) throws(FrameError) -> Int
    ) throws(FrameError) -> [UInt8] {
      let count = try unsafe buffer.lend { (bytes) throws(FrameError) in
        try unsafe body(&sealer, bytes)
      }
      return Array(buffer.prefix(count))
    }

    mutating func open(
      _ frame: [UInt8]
    ) throws(FrameError) -> (type: UInt8, payload: [UInt8])? {
      var head = frame
      let header = try unsafe head.lend { (bytes) throws(FrameError) in
        try unsafe opener.header(UnsafeRawBufferPointer(bytes), limits: limits)
      }
      var body = Array(frame.dropFirst(FrameHeader.count))
      let count = try unsafe body.lend { (bytes) throws(FrameError) in
        try unsafe opener.open(header, in: bytes)
      }
      return count.map { (header.type, Array(body.prefix($0))) }
    }
  }

  @Test(arguments: suites)
  func framesOpenInOrderAcrossRekeying(suite: CipherSuite) throws {
    var pipe = Pipe(suite)
    var generator = SeededGenerator(seed: 10)
    for round in 0..<40 {
      let payload = (0..<Int(generator.next() % 64)).map { _ in
        UInt8(truncatingIfNeeded: generator.next())
      }
      let frame = try pipe.seal(1, payload)
      #expect(frame.count == payload.count + FrameHeader.overhead)
      let opened = try #require(try pipe.open(frame))
      #expect(opened.type == 1 && opened.payload == payload)
      if round % 8 == 7 { #expect(try pipe.open(pipe.rekey()) == nil) }
    }
  }

  @Test(arguments: suites)
  func rekeyingChangesTheKey(suite: CipherSuite) throws {
    var rekeyed = Pipe(suite)
    var plain = Pipe(suite)
    _ = try rekeyed.rekey()
    _ = try plain.seal(3, [])
    #expect(try rekeyed.seal(1, [1, 2, 3]) != plain.seal(1, [1, 2, 3]))
    // Noise's REKEY by hand.
    let next = FrameCipherTests.key(suite)
      .seal([UInt8](repeating: 0, count: 32), nonce: .max, data: []).prefix(32)
    let expected = CipherKey(SecretBytes(next), suite: suite)
      .seal([1, 2, 3], nonce: 2, data: [19, 0, 0, 0, 1])
    #expect(Array(try rekeyed.seal(1, [1, 2, 3]).dropFirst(5)) == expected)
  }

  @Test(arguments: suites)
  func anyChangedBitEndsTheStream(suite: CipherSuite) throws {
    var sealing = Pipe(suite)
    let frame = try sealing.seal(1, Array("0123456789".utf8))
    for position in frame.indices {
      for bit in 0..<8 {
        var pipe = Pipe(suite)
        var mangled = frame
        mangled[position] ^= UInt8(1) << UInt8(bit)
        #expect(throws: FrameError.self) { try pipe.open(mangled) }
      }
    }
    var pipe = Pipe(suite)
    var mangled = frame
    mangled[7] ^= 1
    #expect(throws: FrameError.notAuthentic) { try pipe.open(mangled) }
    #expect(throws: FrameError.notAuthentic) { try pipe.open(frame) }
  }

  @Test(arguments: suites)
  func repeatedDroppedAndSwappedFramesAreRefused(suite: CipherSuite) throws {
    var sealing = Pipe(suite)
    let frames = [try sealing.seal(1, [1]), try sealing.seal(1, [2]), try sealing.seal(1, [3])]
    for (order, opens) in [([0, 0], 1), ([1], 0), ([0, 2], 1), ([0, 1, 2], 3), ([0, 1, 0], 2)] {
      var pipe = Pipe(suite)
      var opened = 0
      for index in order {
        let error = failure { () throws(FrameError) in _ = try pipe.open(frames[index]) }
        opened += error == nil ? 1 : 0
      }
      #expect(opened == opens, "\(order)")
    }
  }

  /// Headers as a stranger may send them: length, type, and what is said of them.
  static let headers: [(UInt32, UInt8, FrameError)] = [
    (15, 1, .tooShort(announced: 15)),
    (0, 1, .tooShort(announced: 0)),
    (64 + 17, 1, .tooLong(type: 1, limit: 64, announced: 65)),
    (.max, 2, .tooLong(type: 2, limit: 4096, announced: Int(UInt32.max) - 16)),
    (17, 3, .tooLong(type: 3, limit: 0, announced: 1)),
    (17, 255, .tooLong(type: 255, limit: 0, announced: 1)),
    (16, 4, .unknownType(4)),
    (16, 0, .unknownType(0)),
    (36, 1, .bufferTooSmall(need: 36, have: 20)),
  ]

  @Test(arguments: headers.indices)
  func lyingHeadersAreRefusedBeforeTheirBodyIsRead(row: Int) {
    let (length, type, expected) = FrameCipherTests.headers[row]
    var writer = ByteWriter()
    writer.integer(length)
    writer.integer(type)
    writer.raw([UInt8](repeating: 0, count: 20))
    let frame = writer.bytes
    var pipe = Pipe(.chaChaPoly)
    #expect(failure { () throws(FrameError) in _ = try pipe.open(frame) } == expected)
  }

  @Test func aBufferWithoutRoomIsRefused() {
    var sealer = FrameSealer(FrameCipherTests.key(.chaChaPoly))
    var buffer = [UInt8](repeating: 0, count: 30)
    let error = failure { () throws(FrameError) in
      _ = try unsafe buffer.lend { (bytes) throws(FrameError) in
        try unsafe sealer.seal(type: 1, in: bytes, payloadCount: 10)
      }
    }
    #expect(error == .bufferTooSmall(need: 31, have: 30))
  }
}
