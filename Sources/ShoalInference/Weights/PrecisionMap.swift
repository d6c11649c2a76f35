// Atoms in other formats than the file's: what makes a derived manifest of a model
// (docs/decisions/0043-precision-is-a-derived-manifest.md).

/// The formats that some atoms of a model are lowered to; the others keep the file's. Weights that
/// are quantised already, and rows that are no whole blocks of the format, keep it as well.
public struct PrecisionMap: Sendable, Hashable {
  public private(set) var formats: [AtomKey: WeightFormat] = [:]

  public init() {}

  /// Of two formats for one atom the smaller one holds.
  public mutating func lower(_ keys: some Sequence<AtomKey>, to format: WeightFormat) {
    for key in keys where key != .common {
      if let other = formats[key], other.bitsPerBlockOf32 <= format.bitsPerBlockOf32 { continue }
      formats[key] = format
    }
  }
}

extension WeightFormat {
  /// Of 32 weights, the scale included.
  fileprivate var bitsPerBlockOf32: Int { blockBytes * 8 * 32 / blockColumns }
  /// Whether its numbers are floats one by one.
  fileprivate var isFloat: Bool { self == .f32 || self == .f16 || self == .bf16 }
}

extension AtomPart {
  private var sourceColumns: Int { place.isTransposed ? source.rows : source.columns }

  var isLowered: Bool { tensor.layout == .packed && tensor.format != source.format }

  /// The same part in `format`, where that is possible and saves anything.
  func lowered(to format: WeightFormat?) -> AtomPart {
    guard let format, tensor.layout == .packed, source.format.isFloat,
      format.bitsPerBlockOf32 < source.format.bitsPerBlockOf32,
      sourceColumns.isMultiple(of: format.blockColumns)
    else { return self }
    return AtomPart(
      tensor: AtomTensor(
        role: tensor.role, index: tensor.index, layout: .packed, format: format,
        rows: tensor.rows, firstColumn: tensor.firstColumn, columns: tensor.columns),
      place: place, source: source, rows: rows, columns: columns)
  }
}

/// Rows of a float tensor on their way into a lower format: of each, the blocks that a part takes.
struct LoweredRow {
  let sourceBytes: Int
  private let source: WeightFormat
  private let format: WeightFormat
  /// Whole blocks around the part's columns.
  private let columns: Range<Int>
  /// A row of the lower format; what the part does not take stays 0.
  private let row: AlignedBytes

  /// - Parameter rowBytes: of a whole row in the part's format.
  init(_ part: AtomPart, rowBytes: Int) throws(MatrixError) {
    source = part.source.format
    format = part.tensor.format
    let width = part.place.isTransposed ? part.source.rows : part.source.columns
    sourceBytes = try source.rowBytes(columns: width)
    let block = format.blockColumns
    columns =
      part.columns.lowerBound / block * block..<(part.columns.upperBound + block - 1) / block
      * block
    row = AlignedBytes(count: rowBytes)
  }

  /// The row in the lower format, valid until the next call. The quantiser is the one that models
  /// are made with (`WeightQuantizer`), so that the bytes are the same everywhere.
  func quantize(_ bytes: UnsafeRawBufferPointer) throws(MatrixError) -> UnsafeRawBufferPointer {
    let size = source.blockBytes
    let values = columns.map { column in
      let start = column * size
      return switch source {
      case .f16: Half.float(unsafe bytes.loadUnaligned(fromByteOffset: start, as: UInt16.self))
      case .bf16:
        Float(
          bitPattern: UInt32(unsafe bytes.loadUnaligned(fromByteOffset: start, as: UInt16.self))
            << 16)
      case _:
        Float(bitPattern: unsafe bytes.loadUnaligned(fromByteOffset: start, as: UInt32.self))
      }
    }
    let packed = try WeightQuantizer.quantize(values, to: format)
    let first = columns.lowerBound / format.blockColumns * format.blockBytes
    let target = unsafe row.mutableBytes
    for (index, byte) in packed.enumerated() { unsafe target[first + index] = byte }
    return unsafe row.bytes
  }
}
