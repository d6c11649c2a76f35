// Files as bytes: the right ones, and typed errors for the rest.

import ShoalInference
import ShoalSystem
import Testing

@Suite struct MappedFileTests {
  @Test("a range of a mapped file holds the bytes of the file")
  func ranges() throws {
    let folder = try TemporaryFolder()
    let bytes = (0..<20_000).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 >> 8) }
    let file = try MappedFile(path: folder.file("weights", bytes))
    #expect(file.byteCount == 20_000)
    for range in [UInt64(0)..<20_000, 0..<0, 4_095..<4_097, 19_999..<20_000, 20_000..<20_000] {
      let read = try unsafe file.withBytes(range) { unsafe Array($0) }
      #expect(read == Array(bytes[Int(range.lowerBound)..<Int(range.upperBound)]))
    }
    #expect(file.populate(5_000..<100_000))
  }

  @Test("a range past the end is refused with its numbers")
  func pastTheEnd() throws {
    let folder = try TemporaryFolder()
    let path = try folder.file("weights", [1, 2, 3])
    let file = try MappedFile(path: path)
    #expect(throws: ByteSourceError.outOfRange(source: path, need: 2..<4, byteCount: 3)) {
      try unsafe file.withBytes(2..<4) { $0.count }
    }
  }

  @Test("an empty file has no bytes, and no mapping that could fail")
  func empty() throws {
    let folder = try TemporaryFolder()
    let file = try MappedFile(path: folder.file("weights", []))
    #expect(file.byteCount == 0)
    #expect(try unsafe file.withBytes(0..<0) { $0.count } == 0)
  }

  @Test("a missing file and a folder are refused by name")
  func refusals() throws {
    let folder = try TemporaryFolder()
    let missing = "\(folder.path)/none"
    let error = #expect(throws: SystemCallError.self) { try MappedFile(path: missing) }
    #expect(error?.subject == missing)
    #expect(error?.description.contains("No such file") == true)
    #expect(throws: SystemCallError.self) { try MappedFile(path: folder.path) }
  }
}
