// Mutations of sound inputs, the same in every run: seconds of what testnet/fuzz.sh does for
// minutes.

import Foundation
import Testing

struct FuzzTests {
  /// `SHOAL_LONG_TESTS`: a hundred times as many.
  static let mutations =
    ProcessInfo.processInfo.environment["SHOAL_LONG_TESTS"] == nil ? 1_500 : 150_000

  @Test(arguments: FuzzTarget.all.map(\.name))
  func `no bytes trap a parser or break what it promises`(_ name: String) throws {
    let target = try #require(FuzzTarget.all.first { $0.name == name })
    let corpus = target.corpus
    try #require(!corpus.isEmpty)
    var chance = FixedChance()
    var (accepted, refused) = (0, 0)
    let end = ContinuousClock.now + .seconds(60)
    for round in 0..<Self.mutations where ContinuousClock.now < end {
      var input = corpus[round % corpus.count]
      if round >= corpus.count { input.mutate(using: &chance) }
      do {
        try target.parse(input)
        accepted += 1
      } catch let broken as BrokenPromise {
        Issue.record("\(broken): \(Data(input).base64EncodedString())")
        return
      } catch {
        refused += 1
      }
    }
    // Mutations that all fail alike, or none, would test nothing.
    #expect(refused > 0)
    #expect(accepted + refused > corpus.count)
  }

  @Test func `mutations differ from what they start from`() {
    var chance = FixedChance()
    let sound = [UInt8](repeating: 7, count: 64)
    let changed = (0..<100).map { _ in
      var input = sound
      input.mutate(using: &chance)
      return input
    }
    #expect(Set(changed).count > 90)
  }
}

extension [UInt8] {
  /// A few of: a bit flipped, a byte or an integer put in, a piece taken out, doubled or cut off.
  mutating func mutate(using chance: inout some RandomNumberGenerator) {
    for _ in 0..<Int.random(in: 1...4, using: &chance) {
      guard !isEmpty else { return }
      let place = Int.random(in: 0..<count, using: &chance)
      switch Int.random(in: 0..<7, using: &chance) {
      case 0: self[place] ^= 1 << UInt8.random(in: 0..<8, using: &chance)
      case 1: self[place] = UInt8.random(in: .min ... .max, using: &chance)
      case 2:
        let extremes: [UInt64] = [0, 1, 0x7f, 0xff, 0xffff, 0x7fff_ffff, 1 << 32, 1 << 62, .max]
        let value = extremes.randomElement(using: &chance) ?? 0
        for byte in 0..<8 where place + byte < count {
          self[place + byte] = UInt8(truncatingIfNeeded: value >> (8 * UInt64(byte)))
        }
      case 3:
        let end = Swift.min(count, place + Int.random(in: 1...16, using: &chance))
        removeSubrange(place..<end)
      case 4:
        let end = Swift.min(count, place + Int.random(in: 1...32, using: &chance))
        insert(contentsOf: Array(self[place..<end]), at: place)
      case 5: insert(UInt8.random(in: .min ... .max, using: &chance), at: place)
      case _: removeSubrange(place...)
      }
    }
  }
}
