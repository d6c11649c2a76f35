// The text model's tensors out of a checkpoint that also sees, under the names that they have in a
// text model's own.

struct TextWeights: WeightSource {
  private let whole: any WeightSource
  let tensorNames: [String]
  /// What the checkpoint calls each of them.
  private let stored: [String: String]

  /// What only images pass.
  private static let others = ["vision_tower.", "multi_modal_projector."]

  init(_ whole: any WeightSource) {
    self.whole = whole
    var stored: [String: String] = [:]
    for name in whole.tensorNames {
      let inner = name.hasPrefix("model.") ? String(name.dropFirst("model.".count)) : name
      if Self.others.contains(where: { inner.hasPrefix($0) }) { continue }
      stored[Self.plain(name)] = name
    }
    self.stored = stored
    tensorNames = stored.keys.sorted()
  }

  /// Older checkpoints put `language_model.` in front, newer ones behind `model.`.
  private static func plain(_ name: String) -> String {
    let (outer, inner) = ("language_model.", "model.language_model.")
    if name.hasPrefix(outer) { return String(name.dropFirst(outer.count)) }
    if name.hasPrefix(inner) { return "model." + name.dropFirst(inner.count) }
    return name
  }

  var name: String { whole.name }
  var dialect: TensorDialect { whole.dialect }

  func tensor(_ name: String) throws -> WeightTensor? {
    guard let stored = stored[name], let found = try whole.tensor(stored) else { return nil }
    return try WeightTensor(
      name: name, rows: found.rows, columns: found.columns, format: found.format)
  }

  func withRows<Result>(
    _ rows: Range<Int>, of tensor: WeightTensor,
    _ body: (UnsafeRawBufferPointer) throws -> Result
  ) throws -> Result {
    guard let stored = stored[tensor.name], let found = try whole.tensor(stored) else {
      throw ModelError.missingTensor(tensor.name)
    }
    return try unsafe whole.withRows(rows, of: found, body)
  }
}

extension HuggingFaceHeader {
  /// The tensors that this header is about.
  func weights(of checkpoint: SafetensorsCheckpoint) -> any WeightSource {
    guard isPart else { return checkpoint }
    return TextWeights(checkpoint)
  }
}
