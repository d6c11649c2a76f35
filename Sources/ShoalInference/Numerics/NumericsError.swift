// Why a computation cannot go on: a value that no correct peer would have produced.

/// Ends the job that met it; never a silent saturation.
public enum NumericsError: Error, Hashable, Sendable {
  /// A NaN or an infinity at `index` of what was being read.
  case notFinite(index: Int)
  /// |value| is beyond half precision (65,504) at `index` of a key or value row.
  case beyondHalf(index: Int)
  /// A reduced sum left +-`limit` units at `index`.
  case sumOutOfRange(index: Int, value: Int64, limit: Int64)
  /// Bytes for a KV cache have another length than the positions that they stand for.
  case lengthMismatch(expected: Int, actual: Int)
  /// The positions to be written would leave a hole after the `count` that are held.
  case hole(count: Int, first: Int)
}
