// Why a GGUF file was refused: which file, what in it, at which byte, and the numbers.

/// A refusal of a GGUF file or of a part of it.
public struct GGUFError: Error, Hashable, Sendable {
  /// The name of the file.
  public let file: String
  /// What in the file is wrong.
  public let place: Place
  /// Where it starts, in bytes from the start of the file. Nil for something that is absent.
  public let offset: UInt64?
  public let reason: Reason

  public init(file: String, place: Place, offset: UInt64?, reason: Reason) {
    self.file = file
    self.place = place
    self.offset = offset
    self.reason = reason
  }

  /// A part of the file, as far as it was understood when it was refused.
  public enum Place: Hashable, Sendable {
    case header
    /// The key is nil while it has not been read. Entries count from 0.
    case metadata(entry: Int, key: String?)
    /// The name is nil while it has not been read. Entries count from 0.
    case tensor(entry: Int, name: String?)
    /// A metadata key that was asked for.
    case key(String)
    /// A tensor that was asked for.
    case weights(String)
  }

  public enum Reason: Hashable, Sendable {
    case notGGUF(magic: UInt32)
    /// Versions 2 and 3 are read; version 1 had 32-bit lengths and was current for weeks.
    case version(UInt32)
    /// A file written for big-endian machines.
    case bigEndian(version: UInt32)
    case truncated(need: UInt64, have: UInt64)
    /// A count that the bytes that are left cannot hold.
    case count(UInt64, atMost: UInt64)
    case tooLong(field: String, limit: Int, announced: UInt64)
    case tooDeep(limit: Int)
    case notUTF8(field: String)
    case duplicate(name: String)
    case unknownValueType(UInt32)
    case notABoolean(UInt8)
    case alignment(UInt64)
    case unknownTensorType(UInt32)
    case dimensionCount(UInt32)
    case dimensions([UInt64])
    case rowLength(UInt64, type: GGMLType)
    case unaligned(offset: UInt64, alignment: UInt64)
    case outOfFile(end: UInt64, fileBytes: UInt64)
    case overlaps(tensor: String)
    case missing
    case type(expected: String, found: String)
    case rows(Range<Int>, of: Int)
    /// What the source said when it was asked for the header.
    case unreadable(String)
  }
}

extension GGUFError: CustomStringConvertible {
  /// One line for a person, such as
  /// `model.gguf: tensor 3 (blk.0.attn_q.weight) at byte 4096: needs 512 bytes, has 20`.
  public var description: String {
    let position = offset.map { " at byte \($0)" } ?? ""
    return "\(file): \(place)\(position): \(reason)"
  }
}

extension GGUFError.Place: CustomStringConvertible {
  public var description: String {
    switch self {
    case .header: "header"
    case .metadata(let entry, let key): "metadata entry \(entry)" + (key.map { " (\($0))" } ?? "")
    case .tensor(let entry, let name): "tensor \(entry)" + (name.map { " (\($0))" } ?? "")
    case .key(let key): "metadata key \(key)"
    case .weights(let name): "tensor \(name)"
    }
  }
}

extension GGUFError.Reason: CustomStringConvertible {
  public var description: String {
    switch self {
    case .notGGUF(let magic): "is no GGUF file: starts with 0x\(String(magic, radix: 16))"
    case .version(let version): "is version \(version); versions 2 and 3 are read"
    case .bigEndian(let version): "is a big-endian file (version \(version)), which is not read"
    case .truncated(let need, let have): "needs \(need) bytes, has \(have)"
    case .count(let count, let most): "announces \(count) elements where at most \(most) fit"
    case .tooLong(let field, let limit, let announced):
      "\(field) announces \(announced), the limit is \(limit)"
    case .tooDeep(let limit): "nests arrays deeper than \(limit)"
    case .notUTF8(let field): "\(field) is not UTF-8"
    case .duplicate(let name): "\(name) occurs twice"
    case .unknownValueType(let type): "has the unknown value type \(type)"
    case .notABoolean(let byte): "has a boolean of \(byte)"
    case .alignment(let alignment): "alignment \(alignment) is no power of two from 8 on"
    case .unknownTensorType(let type): "has the unknown tensor type \(type)"
    case .dimensionCount(let count): "has \(count) dimensions; 1 to 4 are read"
    case .dimensions(let dimensions): "dimensions \(dimensions) are empty or overflow"
    case .rowLength(let length, let type):
      "row length \(length) is no multiple of \(type.blockElements), the block of \(type.name)"
    case .unaligned(let offset, let alignment):
      "offset \(offset) is no multiple of the alignment \(alignment)"
    case .outOfFile(let end, let bytes): "ends at byte \(end) of a file of \(bytes)"
    case .overlaps(let tensor): "overlaps tensor \(tensor)"
    case .missing: "is missing"
    case .type(let expected, let found): "should be \(expected), is \(found)"
    case .rows(let asked, let rows): "has \(rows) rows; \(asked) were asked for"
    case .unreadable(let error): "cannot be read: \(error)"
    }
  }
}
