// Copies of blobs for computing: made once, and let go where memory is short.

import ShoalNode
import ShoalProtocol
import ShoalSystem
import Synchronization
import Testing

/// Bytes in memory, as a mapped file has them.
@safe private final class Source: MappedBlob, @unchecked Sendable {
  let bytes: UnsafeRawBufferPointer

  init(_ contents: [UInt8]) {
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: contents.count, alignment: 64)
    unsafe memory.copyBytes(from: contents)
    unsafe bytes = UnsafeRawBufferPointer(memory)
  }

  deinit { unsafe bytes.deallocate() }
}

/// Whether the system can spare memory, as a test says.
private final class Room: Sendable {
  private let isThere = Atomic(true)
  func end() { isThere.store(false, ordering: .relaxed) }
  func ask() -> Bool { isThere.load(ordering: .relaxed) }
}

#if os(Linux)
  @Suite struct LargePagesTests {
    private let contents = (0..<1_000_001).map { UInt8(truncatingIfNeeded: $0 &* 57 >> 3) }

    private func id(_ number: UInt8) -> BlobID {
      BlobID(Bytes32([UInt8](repeating: number, count: 32)) ?? .zero)
    }

    @Test func aBlobIsCopiedOnceAndTheCopyIsUsedAgain() throws {
      let blobs = ResidentBlobs(hasRoom: { true })
      let source = Source(contents)
      let first = try blobs.blob(id(1)) { source }
      #expect(first !== source)
      #expect(unsafe Array(first.bytes) == contents)
      #expect(unsafe Int(bitPattern: first.bytes.baseAddress).isMultiple(of: 64))
      let again = try blobs.blob(id(1)) { () throws(BlobStoreError) in throw .missing(id(1)) }
      #expect(again === first)
      let other = try blobs.blob(id(2)) { Source([1, 2, 3]) }
      #expect(unsafe Array(other.bytes) == [1, 2, 3])
      #expect(unsafe Array(first.bytes) == contents)
    }

    @Test func aForgottenBlobIsReadAnew() throws {
      let blobs = ResidentBlobs(hasRoom: { true })
      let first = try blobs.blob(id(1)) { Source(contents) }
      blobs.forget(id(1))
      let second = try blobs.blob(id(1)) { Source([7]) }
      #expect(unsafe Array(second.bytes) == [7])
      #expect(unsafe Array(first.bytes) == contents)
    }

    @Test func withoutRoomTheFileItselfIsUsed() throws {
      let blobs = ResidentBlobs(hasRoom: { false })
      let source = Source(contents)
      #expect(try blobs.blob(id(1)) { source } === source)
    }

    @Test func copiesAreLetGoWhereMemoryIsShortAndStayValidForWhoHasThem() throws {
      let room = Room()
      let blobs = ResidentBlobs(hasRoom: { room.ask() })
      let kept = try blobs.blob(id(1)) { Source(contents) }
      room.end()
      // What the region at hand cannot hold asks for another one.
      for number in UInt8(2)..<80 { _ = try blobs.blob(id(number)) { Source(contents) } }
      let source = Source(contents)
      #expect(try blobs.blob(id(1)) { source } === source)
      #expect(unsafe Array(kept.bytes) == contents)
    }
  }
#endif
