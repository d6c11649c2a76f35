// How well a model foretells a text: the quantity behind perplexity, position by position.

public import ShoalInference
internal import ShoalProtocol
private import Synchronization

/// What scoring some positions came to. Natural logarithms.
public struct TextScore: Sendable, Hashable {
  /// Positions whose next token was foretold.
  public private(set) var count = 0
  /// Sum of -log p(next token), and of its squares.
  public private(set) var sum = 0.0
  public private(set) var squares = 0.0

  public init() {}

  public mutating func add(negativeLogLikelihood value: Double) {
    count += 1
    sum += value
    squares += value * value
  }

  public mutating func add(_ other: TextScore) {
    count += other.count
    sum += other.sum
    squares += other.squares
  }

  public var mean: Double { count > 0 ? sum / Double(count) : 0 }
  /// The standard error of `mean`, taking positions as independent.
  public var standardError: Double {
    guard count > 1 else { return 0 }
    let variance = max(0, squares / Double(count) - mean * mean)
    return (variance / Double(count - 1)).squareRoot()
  }
}

/// Scores token sequences on ranks of this process.
public struct TextScorer: Sendable {
  private let ranks: LocalRanks
  private let blob: @Sendable (AtomEntry) throws -> AtomBlob
  /// Tokens of one step.
  private static let batch = 64

  public init(ranks: LocalRanks, blob: @escaping @Sendable (AtomEntry) throws -> AtomBlob) {
    self.ranks = ranks
    self.blob = blob
  }

  /// Scores `tokens[first + 1...]`, each given all before it. `tokens` has at least two elements,
  /// all in the vocabulary, and no more than the model's context.
  public func score(_ tokens: [UInt32], from first: Int = 0) async throws -> TextScore {
    precondition(tokens.count > 1 && first >= 0 && first < tokens.count - 1)
    let blocks = ranks.manifest.cut.vocabularyBlocks
    let progress = Mutex(ScoredText(tokens: tokens, first: first))
    _ = try await ranks.run(
      GenerationOrder(
        prompt: tokens, maximumTokens: 0, context: tokens.count,
        batch: min(Self.batch, tokens.count), scoresPrompt: true, slices: true, candidates: 0),
      blob: blob,
      choose: { votes, _ in
        progress.withLock { text in
          for start in stride(from: 0, to: votes.count, by: blocks) {
            text.take(votes[start..<start + blocks])
          }
        }
        return .init(token: 0, endsText: false)
      })
    return progress.withLock { $0.score }
  }
}

/// A text on its way through the ranks: rows of logits come in the order of its positions.
private struct ScoredText {
  let tokens: [UInt32]
  let first: Int
  private var position = 0
  private(set) var score = TextScore()

  init(tokens: [UInt32], first: Int) {
    self.tokens = tokens
    self.first = first
  }

  /// One position's votes, in the order of the blocks, with whole slices.
  mutating func take(_ votes: ArraySlice<VocabularyVote>) {
    defer { position += 1 }
    guard position >= first, position + 1 < tokens.count else { return }
    let distribution = VocabularyDistribution(votes.map(\.summary), keeping: 0)
    var index = Int(tokens[position + 1])
    for vote in votes {
      if index < vote.slice.count {
        score.add(
          negativeLogLikelihood: -distribution.logProbability(ofLogit: vote.slice[index]))
        return
      }
      index -= vote.slice.count
    }
  }
}
