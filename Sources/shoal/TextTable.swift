// A table of plain text: columns as wide as their widest cell, numbers to the right.

struct TextTable {
  private let heads: [String]
  private let numbers: Set<Int>
  private var rows: [[String]] = []

  /// - Parameter numbers: columns that are aligned to the right.
  init(_ heads: [String], numbers: Set<Int> = []) {
    self.heads = heads
    self.numbers = numbers
  }

  mutating func add(_ cells: [String]) { rows.append(cells) }

  /// The head first.
  var lines: [String] {
    let all = [heads] + rows
    let widths = heads.indices.map { column in all.map { $0[column].count }.max() ?? 0 }
    return all.map { cells in
      let line = cells.enumerated().map { column, cell in
        let room = String(repeating: " ", count: widths[column] - cell.count)
        return numbers.contains(column) ? room + cell : cell + room
      }.joined(separator: "  ")
      return String(line.reversed().drop { $0 == " " }.reversed())
    }
  }
}
