// The rows of a step: which tokens of which sequences, and which of them get logits.

public import ShoalProtocol

/// Consecutive tokens of one sequence in a step.
public struct PassSpan {
  public let sequence: SequenceCache
  /// Of the first token; it follows what the sequence holds.
  public let position: Int
  public let count: Int
  public let logits: LogitsWanted

  public init(_ sequence: SequenceCache, at position: Int, count: Int, logits: LogitsWanted) {
    self.sequence = sequence
    self.position = position
    self.count = count
    self.logits = logits
  }
}

/// Where a token stands: in its text, and among the keys and values of its sequence.
struct TokenPlace {
  /// Counted from the beginning of the text.
  let position: Int
  /// Where the text lies in the sequence.
  let text: Range<Int>
  /// Which row of the token types is added to it.
  var type = 0

  var slot: Int { text.lowerBound + position }
}

/// Neighbouring rows of one sequence.
struct SequenceRun {
  let sequence: SequenceCache
  let rows: Range<Int>
}

extension ForwardPass {
  /// Begins a step over some sequences, each of which it has once. No row's bits depend on which
  /// others are beside it. Takes no memory.
  ///
  /// - Parameter tokens: of all spans, one after the other, each below the vocabulary; no more than
  ///   `batch`.
  public func begin(_ spans: [PassSpan], tokens: [UInt32]) {
    clearRows()
    for span in spans {
      let text = 0..<span.position + span.count
      precondition(text.upperBound <= span.sequence.context)
      let first = places.count
      for position in span.position..<text.upperBound {
        places.append(TokenPlace(position: position, text: text))
      }
      addRun(of: span.sequence, from: first)
      switch span.logits {
      case .none: break
      case .last: wantedRows.append(places.count - 1)
      case .all: wantedRows.append(contentsOf: first..<places.count)
      }
    }
    self.tokens.append(contentsOf: tokens)
    enterRows()
  }

  /// The same with tokens of one sequence.
  public func begin(
    tokens: [UInt32], at position: Int, of sequence: SequenceCache, logits: LogitsWanted
  ) {
    begin(
      [PassSpan(sequence, at: position, count: tokens.count, logits: logits)],
      tokens: tokens)
  }

  func clearRows() {
    tokens.removeAll(keepingCapacity: true)
    places.removeAll(keepingCapacity: true)
    runs.removeAll(keepingCapacity: true)
    slices.removeAll(keepingCapacity: true)
    wantedRows.removeAll(keepingCapacity: true)
  }

  /// The places from `first` on are of one sequence.
  func addRun(of sequence: SequenceCache, from first: Int) {
    let rows = first..<places.count
    runs.append(SequenceRun(sequence: sequence, rows: rows))
    let size = attention.rowsPerSlice
    for start in stride(from: first, to: rows.upperBound, by: size) {
      slices.append(
        SequenceRun(sequence: sequence, rows: start..<min(rows.upperBound, start + size)))
    }
  }

  /// Keys and values that the rows scan, and those of them that are read once for all rows of a
  /// sequence.
  var scannedPositions: (read: Int, scanned: Int) {
    runs.reduce((0, 0)) { sum, run in
      let held = places[run.rows.upperBound - 1].text.upperBound
      return (sum.0 + held, sum.1 + held * run.rows.count)
    }
  }
}
