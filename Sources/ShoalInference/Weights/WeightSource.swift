// The seam between a model file and the importer: tensors by name, rows as bytes. Every format of
// model files is one conformance; nothing behind this seam knows which it was.

/// Which names and conventions a model's tensors follow: where they are called differently, a
/// declaration states both.
public enum TensorDialect: Hashable, Sendable {
  /// Names such as `blk.0.attn_q.weight` (`docs/gguf.md` in ggml's repository).
  case gguf
  /// Names such as `model.layers.0.self_attn.q_proj.weight`, as transformers saves them.
  case huggingFace
}

/// One tensor of a source, as rows of one format. Dimensions but the last count as rows.
public struct WeightTensor: Hashable, Sendable {
  public let name: String
  /// Output elements; 1 for a vector.
  public let rows: Int
  /// Input elements: the contiguous dimension.
  public let columns: Int
  /// How `withRows` lends them, which may be wider than how the file stores them.
  public let format: WeightFormat
  /// Bytes of one row in `format`.
  public let rowBytes: Int

  public init(
    name: String, rows: Int, columns: Int, format: WeightFormat
  ) throws(MatrixError) {
    self.name = name
    self.rows = rows
    self.columns = columns
    self.format = format
    rowBytes = try format.rowBytes(columns: columns)
  }

  public var byteCount: UInt64 { UInt64(rows) * UInt64(rowBytes) }
}

/// The tensors of a model, in whatever files. Weights are lent, never held.
public protocol WeightSource: Sendable {
  /// What a person calls it: the path of the file or directory.
  var name: String { get }
  var dialect: TensorDialect { get }
  /// Every tensor, in the order of the files.
  var tensorNames: [String] { get }

  /// The tensor of a name, nil where there is none.
  ///
  /// - Throws: `ModelError.unsupportedFormat` for a storage that is not computed with.
  func tensor(_ name: String) throws -> WeightTensor?

  /// Lends rows of a tensor of this source, `rowBytes` each, for the time of the call. The memory
  /// taken is bounded by the rows asked for.
  func withRows<Result>(
    _ rows: Range<Int>, of tensor: WeightTensor,
    _ body: (UnsafeRawBufferPointer) throws -> Result
  ) throws -> Result
}

extension WeightSource {
  /// The tensor of a name, which must be there.
  public func required(_ name: String) throws -> WeightTensor {
    guard let tensor = try tensor(name) else { throw ModelError.missingTensor(name) }
    return tensor
  }

  /// A small tensor as f32: norms, biases, factors.
  public func floats(_ name: String) throws -> [Float] {
    let tensor = try required(name)
    return try unsafe withRows(0..<tensor.rows, of: tensor) { bytes in
      switch tensor.format {
      case .f32:
        return (0..<tensor.rows * tensor.columns).map {
          Float(bitPattern: unsafe bytes.loadUnaligned(fromByteOffset: $0 * 4, as: UInt32.self))
        }
      case .f16:
        return (0..<tensor.rows * tensor.columns).map {
          Half.float(unsafe bytes.loadUnaligned(fromByteOffset: $0 * 2, as: UInt16.self))
        }
      case .bf16:
        return (0..<tensor.rows * tensor.columns).map {
          let bits = unsafe bytes.loadUnaligned(fromByteOffset: $0 * 2, as: UInt16.self)
          return Float(bitPattern: UInt32(bits) << 16)
        }
      case .q4_0, .q4_1, .q5_0, .q5_1, .q8_0, .q2_K, .q3_K, .q4_K, .q5_K, .q6_K, .iq4_nl, .iq4_xs:
        throw ModelError.unsupportedFormat(tensor: name, format: "\(tensor.format)")
      }
    }
  }
}
