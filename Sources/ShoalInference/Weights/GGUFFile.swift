// A GGUF file that was read and found sound: metadata, the tensor table, and where weights lie.

import ShoalProtocol

/// The header of a GGUF file, versions 2 and 3 (`docs/gguf.md` in ggml's repository), and access
/// to its weights, which are never copied.
public struct GGUFFile: Sendable {
  public let source: any ByteSource
  public let version: UInt32
  public let metadata: GGUFMetadata
  /// By name.
  public let tensors: [String: GGUFTensor]
  /// In the file's order.
  public let tensorNames: [String]
  /// Weights start at multiples of this, counted from `weightsStart`.
  public let alignment: UInt64
  /// Where weights start, in bytes from the start of the file.
  public let weightsStart: UInt64

  /// Reads and checks the whole header. Weights are not touched.
  ///
  /// - Parameter isWhole: false where the file may end behind its header.
  public init(_ source: any ByteSource, isWhole: Bool = true) throws(GGUFError) {
    let headerBytes = min(source.byteCount, UInt64(Limits.ggufHeaderBytes))
    let header: Header
    do {
      header = try unsafe source.withBytes(0..<headerBytes) { buffer in
        var cursor = unsafe GGUFCursor(file: source.name, buffer)
        return try Header(&cursor, fileBytes: isWhole ? source.byteCount : UInt64(Int64.max))
      }
    } catch let refusal as GGUFError {
      throw refusal
    } catch {
      throw GGUFError(
        file: source.name, place: .header, offset: 0, reason: .unreadable(String(describing: error))
      )
    }
    self.source = source
    version = header.version
    metadata = header.metadata
    tensors = header.tensors
    tensorNames = header.tensorNames
    alignment = header.alignment
    weightsStart = header.weightsStart
  }

  /// Lends the stored bytes of a tensor's rows, all of them unless `rows` says which, for the time
  /// of the call.
  public func withTensor<Result>(
    _ name: String, rows: Range<Int>? = nil, _ body: (UnsafeRawBufferPointer) throws -> Result
  ) throws -> Result {
    guard let tensor = tensors[name] else {
      throw GGUFError(file: source.name, place: .weights(name), offset: nil, reason: .missing)
    }
    let rows = rows ?? 0..<tensor.rows
    guard rows.lowerBound >= 0, rows.upperBound <= tensor.rows else {
      throw GGUFError(
        file: source.name, place: .weights(name), offset: tensor.offset,
        reason: .rows(rows, of: tensor.rows))
    }
    let start = tensor.offset + UInt64(rows.lowerBound * tensor.rowBytes)
    return try unsafe source.withBytes(start..<start + UInt64(rows.count * tensor.rowBytes), body)
  }
}
