// A safetensors file that was read and found sound: the tensor table, and where weights lie.

internal import ShoalProtocol

/// The header of a safetensors file (huggingface/safetensors, "Format") and access to its weights.
/// Eight bytes give the length of a JSON object of tensors; the weights follow it and fill the
/// rest of the file without overlap and without a hole.
public struct SafetensorsFile: Sendable {
  public let source: any ByteSource
  /// In the order of their weights.
  public let tensors: [SafetensorsTensor]
  /// Free text about the file, such as `format: pt`. Nothing depends on it.
  public let metadata: [String: String]

  /// Reads and checks the whole header. Weights are not touched.
  public init(_ source: any ByteSource) throws(SafetensorsError) {
    self.source = source
    let header = try Self.header(source)
    let weights = UInt64(8 + header.count)..<source.byteCount
    var limits = JSONLimits()
    limits.bytes = Limits.safetensorsHeaderBytes
    limits.depth = 8
    let members: [(key: String, node: JSONNode)]
    var metadata: [String: String] = [:]
    do throws(JSONError) {
      members = try JSONNode(JSONValue(parsing: header, limits: limits), name: "header").members()
      for member in members where member.key == Self.metadataKey {
        for (key, text) in try member.node.members() { metadata[key] = try text.string() }
      }
    } catch {
      throw SafetensorsError(file: source.name, reason: .json(error))
    }
    guard members.count <= Limits.tensors else {
      throw SafetensorsError(
        file: source.name, reason: .tooMany(tensors: members.count, limit: Limits.tensors))
    }
    var tensors: [SafetensorsTensor] = []
    for (name, node) in members where name != Self.metadataKey {
      tensors.append(
        try SafetensorsTensor(name: name, node, file: source.name, weights: weights))
    }
    self.tensors = tensors.sorted { left, right in
      (left.range.lowerBound, left.range.upperBound, left.name)
        < (right.range.lowerBound, right.range.upperBound, right.name)
    }
    self.metadata = metadata
    try refuseGaps(weights)
  }

  private static let metadataKey = "__metadata__"

  private static func header(_ source: any ByteSource) throws(SafetensorsError) -> [UInt8] {
    let length = try read(source, 0..<8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    guard length <= UInt64(Limits.safetensorsHeaderBytes) else {
      throw SafetensorsError(
        file: source.name,
        reason: .headerBytes(length, limit: Limits.safetensorsHeaderBytes))
    }
    return try read(source, 8..<8 + length)
  }

  private static func read(
    _ source: any ByteSource, _ range: Range<UInt64>
  ) throws(SafetensorsError) -> [UInt8] {
    guard range.upperBound <= source.byteCount else {
      throw SafetensorsError(
        file: source.name, reason: .truncated(need: range.upperBound, have: source.byteCount))
    }
    do {
      return try unsafe source.withBytes(range) { unsafe Array($0) }
    } catch {
      throw SafetensorsError(file: source.name, reason: .unreadable("\(error)"))
    }
  }

  /// Every byte of the weights belongs to exactly one tensor: whoever hides bytes in a file or
  /// lends one tensor's to another is refused.
  private func refuseGaps(_ weights: Range<UInt64>) throws(SafetensorsError) {
    var end = weights.lowerBound
    var last = ""
    for tensor in tensors {
      if tensor.range.lowerBound < end {
        throw SafetensorsError(
          file: source.name, tensor: tensor.name, reason: .overlaps(tensor: last))
      }
      if tensor.range.lowerBound > end {
        throw hole(end..<tensor.range.lowerBound, from: weights.lowerBound)
      }
      end = tensor.range.upperBound
      last = tensor.name
    }
    guard end == weights.upperBound else {
      throw hole(end..<weights.upperBound, from: weights.lowerBound)
    }
  }

  private func hole(_ range: Range<UInt64>, from start: UInt64) -> SafetensorsError {
    SafetensorsError(
      file: source.name, reason: .hole(range.lowerBound - start..<range.upperBound - start))
  }

  /// Lends the stored bytes of a tensor's rows for the time of the call.
  public func withRows<Result>(
    _ rows: Range<Int>, of tensor: SafetensorsTensor,
    _ body: (UnsafeRawBufferPointer) throws -> Result
  ) throws -> Result {
    guard rows.lowerBound >= 0, rows.upperBound <= tensor.rows, tensor.dtype.bits % 8 == 0 else {
      throw SafetensorsError(
        file: source.name, tensor: tensor.name, reason: .rows(rows, of: tensor.rows))
    }
    let rowBytes = tensor.columns * (tensor.dtype.bits / 8)
    let start = tensor.range.lowerBound + UInt64(rows.lowerBound * rowBytes)
    return try unsafe source.withBytes(start..<start + UInt64(rows.count * rowBytes), body)
  }
}
