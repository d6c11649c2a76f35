// What a matrix is multiplied with: values of some tokens, and their int8 form.

import CKernels

/// The input of one numeric atom, or of whole rows, for up to `capacity` tokens.
///
/// Memory is taken once; a session reuses it for every token. Write `values`, call
/// `Kernels.quantize` if a quantised matrix follows, then multiply. Not synchronised: whoever
/// shares it between threads writes different tokens on each and reads after all have written.
@safe public final class Activations: @unchecked Sendable {
  /// How the columns are cut. Every matrix that it meets has the same parts.
  public let parts: ColumnParts
  /// Tokens that there is room for.
  public let capacity: Int
  /// (capacity, columns)
  public let values: UnsafeMutableBufferPointer<Float>
  /// (capacity, recordBytes), the layout of `shoal_record`: per part the scale (f32), the sum of
  /// its quants and of those before its split (Int16), the quants (Int8) padded with zeros to a
  /// multiple of 8.
  package let records: UnsafeMutableRawBufferPointer

  public init(parts: ColumnParts, capacity: Int) {
    precondition(capacity > 0)
    self.parts = parts
    self.capacity = capacity
    unsafe values = .allocate(capacity: capacity * parts.count)
    unsafe values.initialize(repeating: 0)
    unsafe records = .allocate(byteCount: capacity * parts.recordBytes, alignment: 64)
    unsafe records.initializeMemory(as: UInt8.self, repeating: 0)
  }

  deinit {
    unsafe values.deallocate()
    unsafe records.deallocate()
  }

  public var columns: Int { parts.count }

  /// The values of one token, (columns).
  public func token(_ token: Int) -> UnsafeMutableBufferPointer<Float> {
    precondition((0..<capacity).contains(token))
    return unsafe UnsafeMutableBufferPointer(
      rebasing: values[token * columns..<(token + 1) * columns])
  }

  /// Activation scale of a part, f32.
  package func scale(_ token: Int, part: Int) -> Float {
    unsafe records.load(fromByteOffset: record(token, part), as: Float.self)
  }

  /// Sum of the quants of a part.
  package func sum(_ token: Int, part: Int) -> Int16 {
    unsafe records.load(fromByteOffset: record(token, part) + 4, as: Int16.self)
  }

  /// Sum of the quants before the part's split.
  package func firstSum(_ token: Int, part: Int) -> Int16 {
    unsafe records.load(fromByteOffset: record(token, part) + 6, as: Int16.self)
  }

  /// Quant of a column of a part.
  package func quant(_ token: Int, part: Int, _ column: Int) -> Int8 {
    unsafe records.load(fromByteOffset: record(token, part) + 8 + column, as: Int8.self)
  }

  func store(_ token: Int, part: Int, scale: Float, sum: Int16, firstSum: Int16) {
    let start = record(token, part)
    unsafe records.storeBytes(of: scale, toByteOffset: start, as: Float.self)
    unsafe records.storeBytes(of: sum, toByteOffset: start + 4, as: Int16.self)
    unsafe records.storeBytes(of: firstSum, toByteOffset: start + 6, as: Int16.self)
  }

  func store(_ token: Int, part: Int, _ column: Int, quant: Int8) {
    unsafe records.storeBytes(
      of: quant, toByteOffset: record(token, part) + 8 + column, as: Int8.self)
  }

  private func record(_ token: Int, _ part: Int) -> Int {
    token * parts.recordBytes + parts.recordOffsets[part]
  }

  /// The same, as C reads it.
  var view: shoal_activations {
    unsafe shoal_activations(
      values: values.baseAddress, records: records.baseAddress?.assumingMemoryBound(to: UInt8.self),
      value_stride: Int64(columns), record_stride: Int64(parts.recordBytes))
  }
}
