// A GGUF file as a source of weights.

extension GGUFFile: WeightSource {
  public var name: String { source.name }
  public var dialect: TensorDialect { .gguf }

  public func tensor(_ name: String) throws -> WeightTensor? {
    guard let found = tensors[name] else { return nil }
    guard let raw = UInt8(exactly: found.type.rawValue), let format = WeightFormat(rawValue: raw)
    else { throw ModelError.unsupportedFormat(tensor: name, format: found.type.name) }
    return try WeightTensor(
      name: name, rows: found.rows, columns: found.rowLength, format: format)
  }

  public func withRows<Result>(
    _ rows: Range<Int>, of tensor: WeightTensor,
    _ body: (UnsafeRawBufferPointer) throws -> Result
  ) throws -> Result {
    try unsafe withTensor(tensor.name, rows: rows, body)
  }
}
