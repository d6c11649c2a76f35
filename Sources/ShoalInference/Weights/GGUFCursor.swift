// Walks through a GGUF header. The one place where the file's bytes are read through a pointer.

import ShoalProtocol

/// A position in the bytes of a header. Every read is checked against the end first, and a count
/// against what is left before anything is allocated for it.
@safe
struct GGUFCursor {
  let file: String
  /// What is being read, for errors.
  var place = GGUFError.Place.header
  private(set) var position = 0
  private let buffer: UnsafeRawBufferPointer

  /// The buffer must outlive the cursor.
  init(file: String, _ buffer: UnsafeRawBufferPointer) {
    self.file = file
    unsafe self.buffer = unsafe buffer
  }

  var remaining: Int { unsafe buffer.count - position }

  func refusal(_ reason: GGUFError.Reason, at offset: Int? = nil) -> GGUFError {
    GGUFError(file: file, place: place, offset: UInt64(offset ?? position), reason: reason)
  }

  /// Moves over `count` bytes and says where they are.
  private mutating func take(_ count: UInt64) throws(GGUFError) -> Range<Int> {
    guard count <= UInt64(remaining) else {
      throw refusal(.truncated(need: count, have: UInt64(remaining)))
    }
    let start = position
    position += Int(count)
    return start..<position
  }

  mutating func integer<I: FixedWidthInteger & BitwiseCopyable>(
    _: I.Type = I.self
  ) throws(GGUFError) -> I {
    let range = try take(UInt64(I.bitWidth / 8))
    return I(
      littleEndian: unsafe buffer.loadUnaligned(fromByteOffset: range.lowerBound, as: I.self))
  }

  mutating func integers<I: FixedWidthInteger & BitwiseCopyable>(
    _ count: Int, _: I.Type = I.self
  ) throws(GGUFError) -> [I] {
    let width = I.bitWidth / 8
    let start = try take(UInt64(count) * UInt64(width)).lowerBound
    return (0..<count).map { index in
      I(
        littleEndian: unsafe buffer.loadUnaligned(
          fromByteOffset: start + index * width, as: I.self))
    }
  }

  /// A `UInt64` count of elements that take at least `least` bytes each.
  mutating func count(eachAtLeast least: Int) throws(GGUFError) -> Int {
    let start = position
    let announced = try integer(UInt64.self)
    let most = UInt64(remaining / least)
    guard announced <= most else { throw refusal(.count(announced, atMost: most), at: start) }
    return Int(announced)
  }

  /// A `UInt64` length, then that many bytes.
  mutating func bytes() throws(GGUFError) -> [UInt8] {
    let range = try take(try integer(UInt64.self))
    return unsafe [UInt8](UnsafeRawBufferPointer(rebasing: buffer[range]))
  }

  /// Appends one string to many, without an allocation of its own.
  mutating func bytes(into strings: inout ByteStrings) throws(GGUFError) {
    let range = try take(try integer(UInt64.self))
    unsafe strings.append(UnsafeRawBufferPointer(rebasing: buffer[range]))
  }

  /// A name: UTF-8 of at most `limit` bytes.
  mutating func name(_ field: String, limit: Int) throws(GGUFError) -> String {
    let start = position
    let length = try integer(UInt64.self)
    guard length <= UInt64(remaining) else {
      throw refusal(.truncated(need: length, have: UInt64(remaining)), at: start)
    }
    guard length <= UInt64(limit) else {
      throw refusal(.tooLong(field: field, limit: limit, announced: length), at: start)
    }
    let range = try take(length)
    let raw = unsafe UnsafeRawBufferPointer(rebasing: buffer[range])
    guard let text = unsafe String(validating: raw, as: UTF8.self) else {
      throw refusal(.notUTF8(field: field), at: start)
    }
    return text
  }
}
