// How often a value was in which range, as Prometheus counts it: cumulative buckets, sum and count.

struct Histogram: Sendable, Hashable {
  /// Upper bounds of all buckets but the last, which has none; ascending.
  let bounds: [Double]
  /// Not cumulative: of each bucket by itself.
  private(set) var counts: [Int]
  private(set) var sum = 0.0

  init(_ bounds: [Double]) {
    self.bounds = bounds
    counts = [Int](repeating: 0, count: bounds.count + 1)
  }

  /// From a token of a fast machine to one of a mesh of phones.
  static let seconds = Histogram([
    0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5,
    10, 30,
  ])

  mutating func observe(_ value: Double) {
    counts[bounds.firstIndex { value <= $0 } ?? bounds.count] += 1
    sum += value
  }

  /// Lines of the text format, without the two that say what it is.
  func text(_ name: String, labels: String = "") -> String {
    var (text, total) = ("", 0)
    let separator = labels.isEmpty ? "" : ","
    for (index, count) in counts.enumerated() {
      total += count
      let bound = index < bounds.count ? "\(bounds[index])" : "+Inf"
      text += "\(name)_bucket{\(labels)\(separator)le=\"\(bound)\"} \(total)\n"
    }
    let braces = labels.isEmpty ? "" : "{\(labels)}"
    return text + "\(name)_sum\(braces) \(sum)\n\(name)_count\(braces) \(total)\n"
  }
}
