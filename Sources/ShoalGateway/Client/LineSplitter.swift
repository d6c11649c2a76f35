// Lines out of pieces that end anywhere.

/// Gathers bytes and hands out whole lines, each without its end.
struct LineSplitter {
  private let limit: Int
  private var pending: [UInt8] = []

  /// - Parameter limit: of one line, in bytes.
  init(limit: Int) { self.limit = limit }

  mutating func append(_ bytes: some Sequence<UInt8>) throws(ClientError) -> [[UInt8]] {
    var lines: [[UInt8]] = []
    for byte in bytes {
      if byte == UInt8(ascii: "\n") {
        lines.append(pending)
        pending.removeAll(keepingCapacity: true)
      } else if pending.count < limit {
        pending.append(byte)
      } else {
        throw .answerTooLong(limit: limit)
      }
    }
    return lines
  }

  /// What came after the last line end.
  var rest: [UInt8] { pending }
}
