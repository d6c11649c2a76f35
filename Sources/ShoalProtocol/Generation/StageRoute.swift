// Whom a rank of a plan with pipeline stages meets: the ranks of its own stage, and those that hand
// the hidden state over to it or take it from it.

/// The place of one rank. Ranks are numbered stage by stage.
///
/// Of what a stage hands over each column crosses once: rank j of the later stage takes the j-th
/// part of the columns, from rank j mod n of the n ranks before, and the ranks of a stage then
/// complete it among themselves by their first sum.
public struct StageRoute: Hashable, Sendable {
  /// Some columns of the hidden state on their way to or from another rank.
  public struct Transfer: Hashable, Sendable {
    public let rank: Int
    public let columns: Range<Int>

    public init(rank: Int, columns: Range<Int>) {
      self.rank = rank
      self.columns = columns
    }
  }

  public let rank: Int
  public let stage: Int
  public let stages: Int
  /// Ranks of the stage.
  public let group: Range<Int>
  /// Nil in the first stage, and where there are fewer parts than ranks.
  public let source: Transfer?
  public let targets: [Transfer]

  /// Columns are parted at multiples of it, which is what partial sums are packed by.
  private static let block = 32

  /// - Parameters:
  ///   - rank: from 0, below the sum of `stageSizes`.
  ///   - stageSizes: ranks of each stage.
  ///   - hidden: columns of the hidden state.
  public init(rank: Int, stageSizes: [Int], hidden: Int) {
    var (stage, first) = (0, 0)
    while rank >= first + stageSizes[stage] {
      first += stageSizes[stage]
      stage += 1
    }
    self.rank = rank
    self.stage = stage
    stages = stageSizes.count
    group = first..<first + stageSizes[stage]
    let place = rank - first
    let own = Self.columns(place, of: stageSizes[stage], hidden)
    if stage > 0, !own.isEmpty {
      let before = stageSizes[stage - 1]
      source = Transfer(rank: first - before + place % before, columns: own)
    } else {
      source = nil
    }
    let next = group.upperBound
    let receivers = stage + 1 < stages ? stageSizes[stage + 1] : 0
    targets = stride(from: place, to: receivers, by: stageSizes[stage]).map { receiver in
      Transfer(
        rank: next + receiver, columns: Self.columns(receiver, of: receivers, hidden))
    }.filter { !$0.columns.isEmpty }
  }

  private static func columns(_ place: Int, of ranks: Int, _ hidden: Int) -> Range<Int> {
    let blocks = (hidden + block - 1) / block
    let bounds = [place, place + 1].map { min(hidden, blocks * $0 / ranks * block) }
    return bounds[0]..<bounds[1]
  }

  /// All ranks that this one has a link to, ascending.
  public var neighbours: [Int] {
    let before = source.map { [$0.rank] } ?? []
    return before + group.filter { $0 != rank } + targets.map(\.rank)
  }
}
