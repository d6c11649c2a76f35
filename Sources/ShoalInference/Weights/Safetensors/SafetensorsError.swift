// Why safetensors were refused: which file, which tensor, and the numbers.

/// A refusal of a safetensors file, or of the index that joins several.
public struct SafetensorsError: Error, Hashable, Sendable {
  /// The name of the file.
  public let file: String
  /// The tensor that is wrong; nil where the file as a whole is.
  public let tensor: String?
  public let reason: Reason

  public init(file: String, tensor: String? = nil, reason: Reason) {
    self.file = file
    self.tensor = tensor
    self.reason = reason
  }

  public enum Reason: Hashable, Sendable {
    case truncated(need: UInt64, have: UInt64)
    case headerBytes(UInt64, limit: Int)
    case json(JSONError)
    case tooMany(tensors: Int, limit: Int)
    case unknownDtype(String)
    /// The shape is of more dimensions than are read, or its product overflows.
    case shape([Int])
    /// The offsets are no range.
    case offsets(start: Int, end: Int)
    /// Dtype and shape need other bytes than the offsets give.
    case byteCount(needed: UInt64, stated: UInt64)
    case outOfFile(end: UInt64, weights: UInt64)
    case overlaps(tensor: String)
    /// Bytes of the weights that belong to no tensor.
    case hole(Range<UInt64>)
    case missingShard(String)
    case notInShard(String, foundIn: String?)
    case rows(Range<Int>, of: Int)
    /// What the source said when it was asked.
    case unreadable(String)
  }
}

extension SafetensorsError: CustomStringConvertible {
  /// One line for a person, such as
  /// `model.safetensors: lm_head.weight: overlaps model.norm.weight`.
  public var description: String {
    "\(file): " + (tensor.map { "\($0): " } ?? "") + "\(reason)"
  }
}

extension SafetensorsError.Reason: CustomStringConvertible {
  public var description: String {
    switch self {
    case .truncated(let need, let have): "needs \(need) bytes, has \(have)"
    case .headerBytes(let bytes, let limit):
      "announces a header of \(bytes) bytes; the limit is \(limit)"
    case .json(let error): "\(error)"
    case .tooMany(let tensors, let limit): "has \(tensors) tensors, the limit is \(limit)"
    case .unknownDtype(let name): "has the unknown dtype \(name)"
    case .shape(let shape): "has the shape \(shape), which overflows or has too many dimensions"
    case .offsets(let start, let end): "lies from byte \(start) to byte \(end)"
    case .byteCount(let needed, let stated):
      "needs \(needed) bytes by dtype and shape; its offsets give it \(stated)"
    case .outOfFile(let end, let weights): "ends at byte \(end) of \(weights) bytes of weights"
    case .overlaps(let tensor): "overlaps \(tensor)"
    case .hole(let range):
      "bytes \(range.lowerBound) to \(range.upperBound) of the weights belong to no tensor"
    case .missingShard(let shard): "names the file \(shard), which is not there"
    case .notInShard(let shard, let other):
      "is not in \(shard), where the index says it is" + (other.map { ", but in \($0)" } ?? "")
    case .rows(let asked, let rows): "has \(rows) rows; \(asked) were asked for"
    case .unreadable(let error): "cannot be read: \(error)"
    }
  }
}
