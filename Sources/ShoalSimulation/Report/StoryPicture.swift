// A story as a picture: agreement over time, copies of atoms over time, and who held what.

/// Draws a timeline as SVG 1.1.
package struct StoryPicture {
  private let timeline: Timeline
  private static let left = 70
  private static let step = 6
  private static let band = 90

  package init(_ timeline: Timeline) { self.timeline = timeline }

  private var width: Int { Self.left + timeline.samples.count * Self.step + 20 }
  private var peers: Int { timeline.samples.first?.held.count ?? 0 }
  private var row: Int { max(2, min(10, 600 / max(1, peers))) }
  private var height: Int { 3 * Self.band + peers * row + 40 }

  package var svg: String {
    var parts = [
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"\(width)\" height=\"\(height)\""
        + " font-family=\"sans-serif\" font-size=\"10\">",
      "<rect width=\"\(width)\" height=\"\(height)\" fill=\"#fff\"/>",
      box(
        x(timeline.churn.lowerBound), 0,
        (timeline.churn.upperBound - timeline.churn.lowerBound) * Self.step, height - 20,
        "#fff3e0"),
      text(4, 14, "views equal"), text(4, Self.band + 14, "copies"),
      text(4, 2 * Self.band + 14, "who holds"), text(4, 2 * Self.band + 26, "its part"),
    ]
    for (number, sample) in timeline.samples.enumerated() {
      let agreeing = (Self.band - 20) * sample.agreeingPerMille / 1_000
      parts.append(box(x(number), Self.band - 10 - agreeing, Self.step, agreeing, "#2e7d32"))
      parts += copies(sample, x(number))
      parts += holders(sample, x(number))
      if number % 20 == 0 {
        parts.append(text(x(number), height - 6, "\(number * Timeline.interval / 1_000) s"))
      }
    }
    return (parts + ["</svg>", ""]).joined(separator: "\n")
  }

  private func copies(_ sample: Timeline.Sample, _ x: Int) -> [String] {
    let total = max(1, sample.atoms.none + sample.atoms.one + sample.atoms.more)
    let bottom = 2 * Self.band - 10
    let more = (Self.band - 20) * sample.atoms.more / total
    let one = (Self.band - 20) * sample.atoms.one / total
    let none = Self.band - 20 - more - one
    return [
      box(x, bottom - more, Self.step, more, "#1565c0"),
      box(x, bottom - more - one, Self.step, one, "#90caf9"),
      box(x, bottom - more - one - none, Self.step, sample.atoms.none == 0 ? 0 : none, "#c62828"),
    ]
  }

  private func holders(_ sample: Timeline.Sample, _ x: Int) -> [String] {
    sample.held.enumerated().compactMap { peer, held in
      guard let held else { return nil }
      let shade = 235 - 200 * min(1_000, held) / 1_000
      return box(
        x, 2 * Self.band + peer * row, Self.step, row - (row > 3 ? 1 : 0),
        "rgb(\(shade),\(shade),\(min(255, shade + 40)))")
    }
  }

  private func x(_ sample: Int) -> Int { Self.left + sample * Self.step }

  private func box(_ x: Int, _ y: Int, _ width: Int, _ height: Int, _ colour: String) -> String {
    "<rect x=\"\(x)\" y=\"\(y)\" width=\"\(width)\" height=\"\(max(0, height))\""
      + " fill=\"\(colour)\"/>"
  }

  private func text(_ x: Int, _ y: Int, _ words: String) -> String {
    "<text x=\"\(x)\" y=\"\(y)\">\(words)</text>"
  }
}
