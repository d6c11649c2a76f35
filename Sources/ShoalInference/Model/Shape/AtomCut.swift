// How a shape is cut into atoms: fixed by the shape alone, never by who runs what.

/// A query unit: some heads of one key-value group.
public struct QueryUnit: Sendable, Hashable {
  public let group: Int
  /// Of the whole layer, not of the group.
  public let heads: Range<Int>
}

/// A block of hidden units of the feed-forward.
public struct FeedForwardBlock: Sendable, Hashable {
  /// Nil: of the block that every token passes.
  public let expert: Int?
  /// Of the dense block, or of the expert.
  public let columns: Range<Int>
}

public struct AtomCut: Sendable, Hashable {
  public let shape: Hyperparameters
  public init(_ shape: Hyperparameters) { self.shape = shape }

  // MARK: Attention

  /// With so many groups a group is dealt whole.
  public static let wholeGroups = 8
  /// With fewer, they are cut until there are about so many units.
  public static let wantedUnits = 16

  /// Query units of one group: 1 where there are 8 groups or more, else enough for about 16 units
  /// in a layer, but never more than heads.
  public var unitsPerGroup: Int {
    let groups = shape.attention.keyValueHeads
    guard groups < AtomCut.wholeGroups else { return 1 }
    return min(shape.headsPerGroup, (AtomCut.wantedUnits + groups - 1) / groups)
  }
  /// Units of one layer that are dealt as attention is: query units, or where there is no attention
  /// blocks of channels.
  public var queryUnits: Int {
    shape.recurrent.map { AtomCut.blocks($0.channels, of: AtomCut.channelsPerBlock) }
      ?? shape.attention.keyValueHeads * unitsPerGroup
  }
  /// Heads of a group are dealt to its units as evenly as they go.
  public func queryUnit(_ unit: Int) -> QueryUnit {
    let (group, place) = unit.quotientAndRemainder(dividingBy: unitsPerGroup)
    let first = group * shape.headsPerGroup
    return QueryUnit(
      group: group,
      heads: first + place * shape.headsPerGroup / unitsPerGroup..<first + (place + 1)
        * shape.headsPerGroup / unitsPerGroup)
  }

  // MARK: Recurrence

  /// Channels of one block, which is one numeric atom.
  public static let channelsPerBlock = 64

  /// Channels of one unit of a layer without attention.
  public func channelBlock(_ block: Int) -> Range<Int> {
    AtomCut.range(block, of: AtomCut.channelsPerBlock, in: shape.recurrent?.channels ?? 0)
  }

  // MARK: Feed-forward

  /// Blocks of the dense or shared part, which come first.
  public var denseBlocks: Int { AtomCut.blocks(shape.feedForward.width) }
  /// Blocks of each expert.
  public var expertBlocks: Int { AtomCut.blocks(shape.feedForward.experts?.width ?? 0) }
  /// Blocks of one layer: the dense ones, then those of expert 0, expert 1, ...
  public var feedForwardBlocks: Int {
    denseBlocks + (shape.feedForward.experts?.count ?? 0) * expertBlocks
  }
  public func feedForwardBlock(_ block: Int) -> FeedForwardBlock {
    guard block >= denseBlocks, let experts = shape.feedForward.experts else {
      return FeedForwardBlock(
        expert: nil, columns: AtomCut.columns(block, in: shape.feedForward.width))
    }
    let (expert, place) = (block - denseBlocks).quotientAndRemainder(dividingBy: expertBlocks)
    return FeedForwardBlock(expert: expert, columns: AtomCut.columns(place, in: experts.width))
  }

  /// Columns of one block: 256, or 32 where the width is below 1,024.
  private static func blockColumns(_ width: Int) -> Int { width >= 1_024 ? 256 : 32 }
  private static func blocks(_ width: Int) -> Int { blocks(width, of: blockColumns(width)) }
  private static func columns(_ block: Int, in width: Int) -> Range<Int> {
    range(block, of: blockColumns(width), in: width)
  }

  // MARK: Vocabulary

  /// Rows of one vocabulary block: 256, or 32 where the vocabulary is below 8,192.
  public var vocabularyBlock: Int { shape.vocabulary >= 8_192 ? 256 : 32 }
  public var vocabularyBlocks: Int { AtomCut.blocks(shape.vocabulary, of: vocabularyBlock) }
  public func vocabularyRows(_ block: Int) -> Range<Int> {
    AtomCut.range(block, of: vocabularyBlock, in: shape.vocabulary)
  }

  // MARK: Keys

  /// Every key of the model, ascending.
  public var keys: [AtomKey] {
    var keys: [AtomKey] = [.common]
    keys += (0..<vocabularyBlocks).map { .embedding(block: $0) }
    if shape.recurrent == nil {
      for layer in 0..<shape.layers {
        keys += (0..<shape.attention.keyValueHeads).map { .keyValue(layer: layer, group: $0) }
      }
      for layer in 0..<shape.layers {
        keys += (0..<queryUnits).map { .query(layer: layer, unit: $0) }
      }
    }
    for layer in 0..<shape.layers {
      keys += (0..<feedForwardBlocks).map { .feedForward(layer: layer, block: $0) }
    }
    if shape.recurrent != nil {
      for layer in 0..<shape.layers {
        keys += (0..<queryUnits).map { .recurrent(layer: layer, block: $0) }
      }
    }
    if shape.head.hasLogits { keys += (0..<vocabularyBlocks).map { .output(block: $0) } }
    return keys
  }

  /// How many keys there are, without making them.
  var keyCount: Int {
    1 + (shape.head.hasLogits ? 2 : 1) * vocabularyBlocks
      + shape.layers
      * ((shape.recurrent == nil ? shape.attention.keyValueHeads : 0) + queryUnits
        + feedForwardBlocks)
  }

  private static func blocks(_ total: Int, of size: Int) -> Int { (total + size - 1) / size }
  private static func range(_ block: Int, of size: Int, in total: Int) -> Range<Int> {
    block * size..<min(total, (block + 1) * size)
  }
}
