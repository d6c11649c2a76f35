// The bytes of an atom: a table of tensors, then their weights, ready to be mapped and multiplied.

public import ShoalProtocol

/// One tensor, or part of one, inside an atom.
public struct AtomTensor: Hashable, Sendable {
  public enum Layout: UInt8, Sendable, Hashable {
    /// f32 values, one after the other: norms, biases, factors.
    case vector = 0
    /// R16C4 (docs/NUMERICS.md, "Packed matrices").
    case packed = 1
  }

  public let role: TensorRole
  /// The layer of a norm in the common atom, the query head of a slice of the output projection,
  /// else 0.
  public let index: Int
  public let layout: Layout
  public let format: WeightFormat
  public let rows: Int
  /// The column of the original row that the first one was: weight blocks are cut by it.
  public let firstColumn: Int
  public let columns: Int

  public init(
    role: TensorRole, index: Int, layout: Layout, format: WeightFormat, rows: Int,
    firstColumn: Int, columns: Int
  ) {
    self.role = role
    self.index = index
    self.layout = layout
    self.format = format
    self.rows = rows
    self.firstColumn = firstColumn
    self.columns = columns
  }

  func shape() throws(MatrixError) -> MatrixShape {
    try MatrixShape(format: format, rows: rows, firstColumn: firstColumn, columns: columns)
  }

  /// Bytes of the tensor without the padding behind it.
  func byteCount() throws(MatrixError) -> Int {
    switch layout {
    case .vector: rows * columns * 4
    case .packed: try shape().byteCount
    }
  }
}

/// Magic, count, then one record of 32 bytes a tensor; the weights follow, each at a multiple of
/// 64.
///
/// | offset | bytes | field |
/// |---|---|---|
/// | 0 | 4 | `SHA1` |
/// | 4 | 4 | number of tensors |
/// | 8 + 32 i | 1, 1, 1, 1 | role, layout, format, 0 |
/// | 12 + 32 i | 4, 4, 4, 4 | index, rows, first column, columns |
/// | 28 + 32 i | 4, 8 | 0, offset of the weights |
enum AtomTable {
  static let magic: UInt32 = 0x3141_4853
  static let recordBytes = 32
  static let tensorLimit = 8_192

  static func headBytes(tensors: Int) -> Int { roundedTo64(8 + tensors * recordBytes) }
  static func roundedTo64(_ count: Int) -> Int { (count + 63) / 64 * 64 }

  /// Where each tensor lies, and the length of the whole.
  static func offsets(_ tensors: [AtomTensor]) throws(MatrixError) -> (offsets: [Int], total: Int) {
    var offset = headBytes(tensors: tensors.count)
    var offsets: [Int] = []
    for tensor in tensors {
      offsets.append(offset)
      offset = roundedTo64(offset + (try tensor.byteCount()))
    }
    return (offsets, offset)
  }

  static func head(_ tensors: [AtomTensor], offsets: [Int]) -> [UInt8] {
    var writer = ByteWriter()
    writer.integer(magic)
    writer.integer(UInt32(tensors.count))
    for (tensor, offset) in zip(tensors, offsets) {
      writer.raw([tensor.role.rawValue, tensor.layout.rawValue, tensor.format.rawValue, 0])
      for field in [tensor.index, tensor.rows, tensor.firstColumn, tensor.columns, 0] {
        writer.integer(UInt32(field))
      }
      writer.integer(UInt64(offset))
    }
    return writer.bytes
  }

  /// The tensors of an atom and where they lie. Every range is inside `bytes`.
  static func read(
    _ bytes: UnsafeRawBufferPointer
  ) throws(WireError) -> [(tensor: AtomTensor, range: Range<Int>)] {
    var reader = ByteReader(unsafe Array(bytes.prefix(8)))
    guard try reader.integer(UInt32.self) == magic else { throw .invalid(field: "atom magic") }
    let count = try reader.count("tensors", limit: tensorLimit)
    let head = 8 + count * recordBytes
    guard head <= bytes.count else { throw .truncated(need: head, have: bytes.count) }
    reader = ByteReader(unsafe Array(bytes[8..<head]))
    var tensors: [(AtomTensor, Range<Int>)] = []
    for _ in 0..<count {
      let (tensor, offset) = try readRecord(&reader)
      // No format has less than a byte a column: nothing larger is worth a table of its parts.
      guard tensor.columns <= bytes.count, let size = try? tensor.byteCount(), offset >= head,
        offset % 64 == 0,
        offset <= bytes.count, size <= bytes.count - offset
      else { throw .invalid(field: "atom tensor \(tensor.role) \(tensor.index)") }
      tensors.append((tensor, offset..<offset + size))
    }
    return tensors
  }

  private static func readRecord(
    _ reader: inout ByteReader
  ) throws(WireError) -> (AtomTensor, Int) {
    let role = try reader.integer(UInt8.self)
    let layout = try reader.integer(UInt8.self)
    let format = try WeightFormat.read(from: &reader)
    _ = try reader.integer(UInt8.self)
    var fields: [Int] = []
    for _ in 0..<5 { fields.append(Int(try reader.integer(UInt32.self))) }
    let offset = try reader.integer(UInt64.self)
    guard let role = TensorRole(rawValue: role) else {
      throw .unknown(field: "tensor role", value: UInt64(role))
    }
    guard let layout = AtomTensor.Layout(rawValue: layout) else {
      throw .unknown(field: "tensor layout", value: UInt64(layout))
    }
    guard fields[1] <= MatrixShape.largestDimension, fields[3] <= MatrixShape.largestDimension
    else { throw .invalid(field: "tensor size") }
    let tensor = AtomTensor(
      role: role, index: fields[0], layout: layout, format: format, rows: fields[1],
      firstColumn: fields[2], columns: fields[3])
    return (tensor, Int(clamping: offset))
  }
}

/// An atom's tensors over bytes that somebody else owns, such as a mapped file.
public struct AtomBlob: Sendable {
  private let matrices: [Slot: PackedMatrix]
  private let vectors: [Slot: [Float]]

  private struct Slot: Hashable {
    let role: TensorRole
    let index: Int
  }

  /// Reads the table; weights stay where they are. `id` is for the error only.
  public init(
    id: BlobID, bytes: UnsafeRawBufferPointer, owner: any AnyObject & Sendable
  ) throws(ModelError) {
    var matrices: [Slot: PackedMatrix] = [:]
    var vectors: [Slot: [Float]] = [:]
    do {
      for (tensor, range) in try unsafe AtomTable.read(bytes) {
        let slot = Slot(role: tensor.role, index: tensor.index)
        let part = unsafe UnsafeRawBufferPointer(rebasing: bytes[range])
        switch tensor.layout {
        case .packed:
          matrices[slot] = try unsafe PackedMatrix(shape: tensor.shape(), bytes: part, owner: owner)
        case .vector:
          vectors[slot] = unsafe part.bindMemory(to: UInt32.self).map {
            Float(bitPattern: UInt32(littleEndian: $0))
          }
        }
      }
    } catch {
      throw .damagedAtom(id, reason: "\(error)")
    }
    self.matrices = matrices
    self.vectors = vectors
  }

  public func matrix(_ role: TensorRole, _ index: Int = 0) -> PackedMatrix? {
    matrices[Slot(role: role, index: index)]
  }
  public func vector(_ role: TensorRole, _ index: Int = 0) -> [Float]? {
    vectors[Slot(role: role, index: index)]
  }
}
