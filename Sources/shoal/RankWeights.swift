// `--split 5:2:1`: the shares of ranks inside this process.

import ArgumentParser

struct RankWeights {
  let weights: [Int]

  /// Nil: one rank with everything.
  init(_ split: String?) throws {
    guard let split else {
      weights = [1]
      return
    }
    let parts = split.split(separator: ":").map { Int($0) }
    guard !parts.isEmpty, parts.allSatisfy({ ($0 ?? -1) >= 0 }),
      parts.contains(where: { ($0 ?? 0) > 0 }), parts.count <= 64
    else {
      throw ValidationError("--split is shares of up to 64 ranks, such as 5:2:1, not \(split)")
    }
    weights = parts.compactMap(\.self)
  }
}
