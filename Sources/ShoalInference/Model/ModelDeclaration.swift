// What an architecture has to say for itself: its tensors, and how each is dealt to atoms.

/// The part that a tensor plays in a decoder. The raw value is stored in atoms.
public enum TensorRole: UInt8, Sendable, Hashable, CaseIterable {
  case embedding = 0
  case outputNorm = 1
  case output = 2
  case attentionNorm = 3
  case query = 4
  case key = 5
  case value = 6
  case attentionOutput = 7
  case queryBias = 8
  case keyBias = 9
  case valueBias = 10
  case feedForwardNorm = 11
  case gate = 12
  case up = 13
  case down = 14
}

/// How a tensor's rows or columns are dealt to atoms. A row is one output element.
public enum TensorSplit: Sendable, Hashable {
  /// Held whole by every rank, as f32.
  case whole
  /// Rows of the vocabulary.
  case vocabularyRows
  /// Rows, `headDimension` to a query head.
  case queryHeadRows
  /// Rows, `headDimension` to a key-value head.
  case keyValueHeadRows
  /// Columns, `headDimension` to a query head: each head is a numeric atom.
  case queryHeadColumns
  /// Rows of hidden feed-forward units.
  case feedForwardRows
  /// Columns of hidden feed-forward units: each block is a numeric atom.
  case feedForwardColumns
}

/// One tensor of a layer, or of the whole model where the role has no layer.
public struct TensorDeclaration: Sendable, Hashable {
  public let role: TensorRole
  /// The name in a GGUF file; `{layer}` stands for the layer's number.
  public let name: String
  public let rows: Int
  public let columns: Int
  public let split: TensorSplit
  public let optional: Bool

  public init(
    _ role: TensorRole, _ name: String, rows: Int, columns: Int, split: TensorSplit,
    optional: Bool = false
  ) {
    self.role = role
    self.name = name
    self.rows = rows
    self.columns = columns
    self.split = split
    self.optional = optional
  }

  public func name(layer: Int) -> String {
    guard let place = name.range(of: "{layer}") else { return name }
    return name.replacingCharacters(in: place, with: String(layer))
  }
}

/// A whole architecture at one shape.
public struct ModelDeclaration: Sendable, Hashable {
  public let architecture: String
  public let shape: Hyperparameters
  public let model: [TensorDeclaration]
  public let layer: [TensorDeclaration]

  public init(
    architecture: String, shape: Hyperparameters, model: [TensorDeclaration],
    layer: [TensorDeclaration]
  ) {
    self.architecture = architecture
    self.shape = shape
    self.model = model
    self.layer = layer
  }
}

extension String {
  /// The first occurrence of `part`, without Foundation.
  fileprivate func range(of part: String) -> Range<String.Index>? {
    var start = startIndex
    while start < endIndex {
      if self[start...].hasPrefix(part) {
        return start..<index(start, offsetBy: part.count)
      }
      start = index(after: start)
    }
    return nil
  }

  fileprivate func replacingCharacters(in range: Range<Index>, with text: String) -> String {
    String(self[..<range.lowerBound]) + text + String(self[range.upperBound...])
  }
}
