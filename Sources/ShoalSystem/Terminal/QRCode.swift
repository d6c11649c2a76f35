// A text as a QR code (ISO/IEC 18004): what a camera reads off a screen.

/// Why a text is no QR code.
public enum QRCodeError: Error, Hashable, Sendable {
  /// More bits than version 40 has room for.
  case tooLong(bits: Int, limit: Int)
}

/// The smallest code that holds a text, at the lowest of the four levels of error correction (L,
/// 7 %): a screen has no dirt, and every version more is four rows more.
public struct QRCode: Hashable, Sendable {
  /// 1 to 40.
  public let version: Int
  /// 0 to 7: which pattern was laid over the data.
  public let mask: Int
  private let matrix: QRMatrix

  /// Modules in a row, and rows.
  public var size: Int { matrix.size }

  /// Whether a module is dark.
  public subscript(row: Int, column: Int) -> Bool { matrix[row, column] }

  /// - Parameter mask: nil: the one that looks least like something else (section 7.8.3).
  public init(_ text: String, mask: Int? = nil) throws(QRCodeError) {
    let segment = QRSegment(text)
    for version in 1...40 {
      var matrix = QRMatrix(version: version)
      let layout = QRBlocks(version: version, codewords: matrix.freeModules / 8)
      guard let data = segment.codewords(version: version, limit: layout.dataCodewords) else {
        guard version == 40 else { continue }
        throw .tooLong(bits: segment.bitCount(version: version), limit: 8 * layout.dataCodewords)
      }
      matrix.place(layout.interleaved(data))
      self.version = version
      self.mask = mask ?? matrix.bestMask
      matrix.apply(mask: self.mask)
      self.matrix = matrix
      return
    }
    preconditionFailure("version 40 neither held \(text.utf8.count) bytes nor refused them")
  }
}

extension QRCode {
  /// Light modules that must be around a code (section 6.3.8).
  private static let margin = 4

  /// The code in half blocks, two rows of modules in a line, its quiet zone included.
  ///
  /// - Parameter colours: black on white by terminal sequences, whatever the terminal's own colours
  ///   are; false: dark modules are ink.
  public func drawing(colours: Bool) -> String {
    let range = -QRCode.margin..<size + QRCode.margin
    return stride(from: range.lowerBound, to: range.upperBound, by: 2).map { row in
      let line = range.map { column -> String in
        switch (isDark(row, column), isDark(row + 1, column)) {
        case (false, false): " "
        case (true, false): "\u{2580}"
        case (false, true): "\u{2584}"
        case (true, true): "\u{2588}"
        }
      }.joined()
      return colours ? "\u{1b}[30;107m\(line)\u{1b}[0m\n" : "\(line)\n"
    }.joined()
  }

  /// Light outside.
  private func isDark(_ row: Int, _ column: Int) -> Bool {
    let inside = 0..<size
    return inside.contains(row) && inside.contains(column) && self[row, column]
  }
}
