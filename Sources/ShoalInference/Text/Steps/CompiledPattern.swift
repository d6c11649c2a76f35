// Finds a literal or an expression in bytes.

struct CompiledPattern: Sendable {
  private enum Work: Sendable {
    case literal([UInt8])
    case expression(TextExpression)
  }

  private let work: Work

  init(_ pattern: TextPattern) throws(TokenizerError) {
    switch pattern {
    case .literal(let text): work = .literal(Array(text.utf8))
    case .expression(let text):
      do { work = .expression(try TextExpression(text)) } catch {
        throw .expression(text, error)
      }
    }
  }

  /// Byte ranges of the matches within `range`, from left to right.
  func matches(_ text: [UInt8], _ range: Range<Int>) -> [Range<Int>] {
    switch work {
    case .literal(let literal): return Self.places(of: literal, in: text, range)
    case .expression(let expression):
      let scalars = ScalarText(text[range])
      return expression.matches(in: scalars, 0..<scalars.count).map { match in
        let offsets = (scalars.offsets[match.lowerBound], scalars.offsets[match.upperBound])
        return range.lowerBound + offsets.0..<range.lowerBound + offsets.1
      }
    }
  }

  func replace(_ text: [UInt8], with content: [UInt8]) -> [UInt8] {
    let matches = matches(text, text.indices)
    guard !matches.isEmpty else { return text }
    var output: [UInt8] = []
    output.reserveCapacity(text.count + matches.count * content.count)
    var start = 0
    for match in matches {
      output += text[start..<match.lowerBound]
      output += content
      start = match.upperBound
    }
    return output + text[start...]
  }

  private static func places(
    of literal: [UInt8], in text: [UInt8], _ range: Range<Int>
  ) -> [Range<Int>] {
    guard let first = literal.first else { return [] }
    var places: [Range<Int>] = []
    var at = range.lowerBound
    while at + literal.count <= range.upperBound {
      if text[at] == first, text[at..<at + literal.count].elementsEqual(literal) {
        places.append(at..<at + literal.count)
        at += literal.count
      } else {
        at += 1
      }
    }
    return places
  }
}
