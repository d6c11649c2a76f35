// Cuts the rows of several matrices into pieces of about equal size for the workers.

/// Pieces of one phase of a layer: each is a range of row groups of one matrix.
struct RowPieces {
  struct Piece {
    let matrix: Int
    let groups: Range<Int>
  }

  let pieces: [Piece]

  /// - Parameter groups: row groups of each matrix, in the order that the phase uses.
  init(groups: [Int], workers: Int) {
    let total = groups.reduce(0, +)
    // Several pieces to a worker, so that a disturbed one holds up little.
    let size = workers == 1 ? Int.max : max(1, total / (workers * 4))
    var pieces: [Piece] = []
    for (matrix, count) in groups.enumerated() {
      var first = 0
      while first < count {
        let end = size > count - first ? count : first + size
        pieces.append(Piece(matrix: matrix, groups: first..<end))
        first = end
      }
    }
    self.pieces = pieces
  }
}
