// The four normalisation forms (Unicode Standard Annex 15), which vocabularies were made under.

/// A normalisation form.
public enum UnicodeForm: UInt8, Hashable, Sendable, CaseIterable {
  case nfc = 0
  case nfd = 1
  case nfkc = 2
  case nfkd = 3

  private var isCompatible: Bool { self == .nfkc || self == .nfkd }
  private var composes: Bool { self == .nfc || self == .nfkc }

  func normalize(_ scalars: [UInt32]) -> [UInt32] {
    // Everything below is the same in all forms.
    guard scalars.contains(where: { $0 >= 0xa0 }) else { return scalars }
    var decomposed: [UInt32] = []
    decomposed.reserveCapacity(scalars.count + scalars.count / 4)
    for scalar in scalars { decompose(scalar, into: &decomposed) }
    Self.order(&decomposed)
    return composes ? Self.compose(decomposed) : decomposed
  }

  private func decompose(_ scalar: UInt32, into output: inout [UInt32]) {
    guard scalar >= 0xa0 else { return output.append(scalar) }
    if let syllable = Hangul.decompose(scalar) {
      output += syllable
      return
    }
    let mapping =
      DecompositionTable.canonical[scalar]
      ?? (isCompatible ? DecompositionTable.compatibility[scalar] : nil)
    guard let mapping else { return output.append(scalar) }
    for part in mapping { decompose(part, into: &output) }
  }

  /// Sorts runs of combining characters by class, equal ones in their order.
  private static func order(_ scalars: inout [UInt32]) {
    var start = 0
    while start < scalars.count {
      guard combiningClass(scalars[start]) != 0 else {
        start += 1
        continue
      }
      var end = start
      while end < scalars.count, combiningClass(scalars[end]) != 0 { end += 1 }
      let run = scalars[start..<end].enumerated().map {
        (combiningClass($0.element), $0.offset, $0.element)
      }
      scalars.replaceSubrange(
        start..<end, with: run.sorted { ($0.0, $0.1) < ($1.0, $1.1) }.map(\.2))
      start = end
    }
  }

  private static func combiningClass(_ scalar: UInt32) -> UInt8 {
    guard scalar >= 0x300, let scalar = Unicode.Scalar(scalar) else { return 0 }
    return scalar.properties.canonicalCombiningClass.rawValue
  }

  /// What two scalars compose into, without the exclusions.
  private static let compositions: [UInt64: UInt32] = {
    var compositions: [UInt64: UInt32] = [:]
    for pair in DecompositionTable.canonical.pairs {
      guard let whole = Unicode.Scalar(pair.whole), !whole.properties.isFullCompositionExclusion
      else { continue }
      compositions[UInt64(pair.first) << 32 | UInt64(pair.second)] = pair.whole
    }
    return compositions
  }()

  private static func compose(_ scalars: [UInt32]) -> [UInt32] {
    var output: [UInt32] = []
    output.reserveCapacity(scalars.count)
    // Where the last starter is in the output, and the class of what came after it.
    var starter: Int?
    var lastClass: UInt8 = 0
    for scalar in scalars {
      let combining = combiningClass(scalar)
      if let starter, output.count == starter + 1 || lastClass < combining,
        let whole = pair(output[starter], scalar)
      {
        output[starter] = whole
        continue
      }
      if combining == 0 { starter = output.count }
      lastClass = combining
      output.append(scalar)
    }
    return output
  }

  private static func pair(_ first: UInt32, _ second: UInt32) -> UInt32? {
    Hangul.compose(first, second) ?? compositions[UInt64(first) << 32 | UInt64(second)]
  }
}

/// Korean syllables, which decompose by arithmetic (The Unicode Standard, section 3.12).
private enum Hangul {
  static let (leading, vowel, trailing, syllable): (UInt32, UInt32, UInt32, UInt32) =
    (0x1100, 0x1161, 0x11a7, 0xac00)
  static let (leadings, vowels, trailings): (UInt32, UInt32, UInt32) = (19, 21, 28)

  static func decompose(_ scalar: UInt32) -> [UInt32]? {
    guard scalar >= syllable, scalar < syllable + leadings * vowels * trailings else { return nil }
    let index = scalar - syllable
    let parts = [
      leading + index / (vowels * trailings), vowel + index % (vowels * trailings) / trailings,
    ]
    return index % trailings == 0 ? parts : parts + [trailing + index % trailings]
  }

  static func compose(_ first: UInt32, _ second: UInt32) -> UInt32? {
    if (leading..<leading + leadings).contains(first), (vowel..<vowel + vowels).contains(second) {
      return syllable + ((first - leading) * vowels + second - vowel) * trailings
    }
    if decompose(first)?.count == 2, second > trailing, second < trailing + trailings {
      return first + second - trailing
    }
    return nil
  }
}
