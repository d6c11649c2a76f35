// Numbers of 256 bits and the hash, by hand.

import ShoalLedger
import ShoalProtocol
import Testing

struct NumberTests {
  @Test func `Keccak-256 of nothing and of one block more than full`() {
    #expect(
      Keccak256.hash([]).hex == "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470")
    // Around the rate of 136 bytes the padding changes shape: all of these differ.
    let hashes = (130...140).map { Keccak256.hash([UInt8](repeating: 0, count: $0)) }
    #expect(Set(hashes).count == hashes.count)
  }

  @Test(arguments: [
    "0", "1", "9", "10", "999999999999999999", "1000000000000000000",
    "340282366920938463463374607431768211455", "340282366920938463463374607431768211456",
    "115792089237316195423570985008687907853269984665640564039457584007913129639935",
  ])
  func `a decimal number is read and written`(_ text: String) throws {
    let number = try #require(UInt256(text))
    #expect(number.description == text)
    #expect(UInt256(number.quantity) == number)
    #expect(UInt256(number.word) == number)
  }

  @Test(arguments: [
    "", "0x", "-1", "1e3", " 1", "0xg", "1_000",
    "115792089237316195423570985008687907853269984665640564039457584007913129639936",
  ])
  func `what is no number of 256 bits is refused`(_ text: String) {
    #expect(UInt256(text) == nil)
  }

  @Test func `overflow and underflow are seen at both halves`() {
    let half = UInt256(high: 0, low: .max)
    let one = UInt256(UInt64(1))
    #expect(half.adding(one) == UInt256(high: 1, low: 0))
    #expect(UInt256(high: 1, low: 0).subtracting(one) == half)
    #expect(UInt256.max.adding(one) == nil)
    #expect(UInt256.zero.subtracting(one) == nil)
    #expect(half.multiplied(by: 2) == UInt256(high: 1, low: .max - 1))
    #expect(UInt256.max.multiplied(by: 2) == nil)
    #expect(one.negated == .max)
    #expect(UInt256.zero.negated == .zero)
    #expect(UInt256(high: 1, low: 0).significantBits == 129)
  }
}
