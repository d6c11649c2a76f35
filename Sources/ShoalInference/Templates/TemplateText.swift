// Python's string methods over Unicode scalars: nothing is compared by canonical equivalence.

enum TemplateText {
  typealias Scalars = [Unicode.Scalar]

  static func string(_ scalars: some Sequence<Unicode.Scalar>) -> String {
    var view = String.UnicodeScalarView()
    view.append(contentsOf: scalars)
    return String(view)
  }

  /// Where `part` stands in `text`, in scalars.
  static func first(_ part: String, in text: String, from start: Int = 0) -> Int? {
    let (part, text) = (Scalars(part.unicodeScalars), Scalars(text.unicodeScalars))
    return first(part, in: text, from: start)
  }

  static func first(_ part: Scalars, in text: Scalars, from start: Int) -> Int? {
    guard part.count <= text.count, start <= text.count - part.count else { return nil }
    if part.isEmpty { return start }
    for place in start...(text.count - part.count)
    where text[place] == part[0] && text[place..<place + part.count].elementsEqual(part) {
      return place
    }
    return nil
  }

  static func last(_ part: String, in text: String) -> Int? {
    let place = first(
      string(Scalars(part.unicodeScalars).reversed()),
      in: string(Scalars(text.unicodeScalars).reversed()))
    return place.map { text.unicodeScalars.count - part.unicodeScalars.count - $0 }
  }

  static func strip(_ text: String, _ characters: String?, left: Bool, right: Bool) -> String {
    let set = characters.map { Set($0.unicodeScalars) }
    let goes = { (scalar: Unicode.Scalar) in
      set?.contains(scalar) ?? scalar.properties.isWhitespace
    }
    var scalars = Scalars(text.unicodeScalars)[...]
    if left { scalars = scalars.drop(while: goes) }
    if right { while let last = scalars.last, goes(last) { scalars.removeLast() } }
    return string(scalars)
  }

  /// At each `separator`, at most `limit` times; nil separates at runs of white space.
  static func split(_ text: String, at separator: String?, limit: Int) -> [String] {
    guard let separator else { return words(text, limit: limit) }
    let (scalars, part) = (Scalars(text.unicodeScalars), Scalars(separator.unicodeScalars))
    var pieces: [String] = []
    var start = 0
    while pieces.count < limit, let place = first(part, in: scalars, from: start) {
      pieces.append(string(scalars[start..<place]))
      start = place + part.count
    }
    pieces.append(string(scalars[start...]))
    return pieces
  }

  private static func words(_ text: String, limit: Int) -> [String] {
    var rest = Scalars(text.unicodeScalars)[...]
    var pieces: [String] = []
    while true {
      rest = rest.drop { $0.properties.isWhitespace }
      if rest.isEmpty { return pieces }
      if pieces.count == limit {
        pieces.append(strip(string(rest), nil, left: false, right: true))
        return pieces
      }
      pieces.append(string(rest.prefix { !$0.properties.isWhitespace }))
      rest = rest.drop { !$0.properties.isWhitespace }
    }
  }

  /// From the end: at most `limit` separators, the last ones.
  static func splitFromEnd(_ text: String, at separator: String?, limit: Int) -> [String] {
    let all = split(text, at: separator, limit: .max)
    guard all.count - 1 > limit else { return all }
    let head = all[...(all.count - 1 - limit)].joined(separator: separator ?? " ")
    return [head] + all[(all.count - limit)...]
  }

  static func lines(_ text: String) -> [String] {
    var lines = [Scalars()]
    var previous: Unicode.Scalar?
    for scalar in text.unicodeScalars {
      if scalar == "\n" || scalar == "\r" {
        if !(scalar == "\n" && previous == "\r") { lines.append([]) }
      } else {
        lines[lines.count - 1].append(scalar)
      }
      previous = scalar
    }
    if lines.last?.isEmpty == true { lines.removeLast() }
    return lines.map { string($0) }
  }

  static func replace(_ text: String, _ old: String, _ new: String, limit: Int) -> String {
    if old.isEmpty { return text }
    return split(text, at: old, limit: limit).joined(separator: new)
  }

  static func title(_ text: String) -> String {
    var result = ""
    var isStart = true
    for scalar in text.unicodeScalars {
      let isLetter = scalar.properties.isAlphabetic
      result +=
        !isLetter
        ? String(scalar)
        : isStart ? scalar.properties.titlecaseMapping : scalar.properties.lowercaseMapping
      isStart = !isLetter
    }
    return result
  }

  static func capitalize(_ text: String) -> String {
    guard let first = text.unicodeScalars.first else { return "" }
    return first.properties.titlecaseMapping + string(text.unicodeScalars.dropFirst()).lowercased()
  }

  static func escape(_ text: String) -> String {
    text.unicodeScalars.reduce(into: "") { result, scalar in
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "'": result += "&#39;"
      case "\"": result += "&#34;"
      case _: result.unicodeScalars.append(scalar)
      }
    }
  }

  static func indent(_ text: String, width: String, first: Bool, blank: Bool) -> String {
    let lines = split(text, at: "\n", limit: .max)
    return lines.enumerated().map { index, line in
      (index == 0 ? first : blank || !line.isEmpty) ? width + line : line
    }.joined(separator: "\n")
  }
}
