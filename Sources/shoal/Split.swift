// `--split 5:2/1:1`: the shares of ranks inside this process, stage by stage.

import ArgumentParser

struct Split {
  /// Weights of the ranks of each pipeline stage.
  let stages: [[Int]]

  /// Nil: one rank with everything.
  init(_ text: String?) throws {
    guard let text else {
      stages = [[1]]
      return
    }
    stages = text.split(separator: "/", omittingEmptySubsequences: false).map { stage in
      stage.split(separator: ":", omittingEmptySubsequences: false).map { Int($0) ?? -1 }
    }
    let ranks = stages.reduce(0) { $0 + $1.count }
    let isWhole = stages.allSatisfy { $0.allSatisfy { (0...1 << 20).contains($0) } }
    guard isWhole, ranks <= 64, stages.allSatisfy({ $0.contains { $0 > 0 } }) else {
      throw ValidationError(
        "--split is shares of up to 64 ranks, such as 5:2:1, stages parted by /, such as 5:2/1:1, "
          + "not \(text)")
    }
  }
}
