// What an atom holds: the unit that peers store, fetch and are dealt.

/// The unit of placement; numeric atoms (docs/NUMERICS.md, rule 0) lie inside.
public enum AtomKey: Hashable, Comparable, Sendable {
  /// Norm weights and other small tensors that every rank holds.
  case common
  /// Rows of the token embedding.
  case embedding(block: Int)
  /// One key-value head.
  case keyValue(layer: Int, group: Int)
  /// Some query heads of one group, and their columns of the output projection.
  case query(layer: Int, unit: Int)
  /// A block of hidden columns, of the dense block or of one expert: rows of gate and up, columns
  /// of down.
  case feedForward(layer: Int, block: Int)
  /// A block of channels of a layer without attention: all that one of them computes with.
  case recurrent(layer: Int, block: Int)
  /// Rows of the output head. Where embeddings are tied, the same blob as `embedding`.
  case output(block: Int)
}

extension AtomKey: CustomStringConvertible {
  public var description: String {
    switch self {
    case .common: "common"
    case .embedding(let block): "embedding \(block)"
    case .keyValue(let layer, let group): "layer \(layer) key-value \(group)"
    case .query(let layer, let unit): "layer \(layer) query \(unit)"
    case .feedForward(let layer, let block): "layer \(layer) feed-forward \(block)"
    case .recurrent(let layer, let block): "layer \(layer) recurrent \(block)"
    case .output(let block): "output \(block)"
    }
  }
}
