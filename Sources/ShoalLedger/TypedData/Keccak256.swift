// Keccak-256 as Ethereum uses it: the submission to the SHA-3 contest with its padding of 0x01, not
// FIPS 202's 0x06 (Bertoni et al., "The Keccak reference", version 3.0).

public import ShoalProtocol

/// One-shot Keccak-256: the hash behind settlement digests, model names and addresses.
public enum Keccak256 {
  /// Bytes that go in at a time: 1600 bits less twice the capacity of 256.
  private static let rate = 136

  public static func hash(_ message: some Collection<UInt8>) -> Bytes32 {
    var state = [UInt64](repeating: 0, count: 25)
    var position = 0
    for byte in message {
      absorb(byte, at: position, into: &state)
      position += 1
      if position == rate {
        permute(&state)
        position = 0
      }
    }
    absorb(0x01, at: position, into: &state)
    absorb(0x80, at: rate - 1, into: &state)
    permute(&state)
    var digest: [UInt8] = []
    digest.reserveCapacity(32)
    for lane in state.prefix(4) {
      for shift in stride(from: UInt64(0), to: 64, by: 8) {
        digest.append(UInt8(truncatingIfNeeded: lane >> shift))
      }
    }
    return Bytes32(digest) ?? .zero
  }

  private static func absorb(_ byte: UInt8, at position: Int, into state: inout [UInt64]) {
    state[position / 8] ^= UInt64(byte) << UInt64(position % 8 * 8)
  }

  /// Keccak-f[1600], section 1.2: theta, rho and pi, chi, iota, 24 times.
  private static func permute(_ state: inout [UInt64]) {
    var moved = state
    for constant in roundConstants {
      for x in 0..<5 {
        moved[x] = state[x] ^ state[x + 5] ^ state[x + 10] ^ state[x + 15] ^ state[x + 20]
      }
      for x in 0..<5 {
        let parity = moved[(x + 4) % 5] ^ rotated(moved[(x + 1) % 5], by: 1)
        for y in stride(from: 0, to: 25, by: 5) { state[y + x] ^= parity }
      }
      for lane in 0..<25 { moved[places[lane]] = rotated(state[lane], by: rotations[lane]) }
      for y in stride(from: 0, to: 25, by: 5) {
        for x in 0..<5 {
          state[y + x] = moved[y + x] ^ (~moved[y + (x + 1) % 5] & moved[y + (x + 2) % 5])
        }
      }
      state[0] ^= constant
    }
  }

  private static func rotated(_ lane: UInt64, by count: UInt64) -> UInt64 {
    lane &<< count | lane &>> (64 &- count)
  }

  /// Where pi puts lane (x, y), numbered x + 5y: at (y, 2x + 3y).
  private static let places = (0..<25).map { lane in
    let (x, y) = (lane % 5, lane / 5)
    return y + 5 * ((2 * x + 3 * y) % 5)
  }

  /// Rho's distances, from the walk that defines them.
  private static let rotations: [UInt64] = {
    var distances = [UInt64](repeating: 0, count: 25)
    var (x, y) = (1, 0)
    for step in 0..<24 {
      distances[x + 5 * y] = UInt64((step + 1) * (step + 2) / 2 % 64)
      (x, y) = (y, (2 * x + 3 * y) % 5)
    }
    return distances
  }()

  /// Iota's constants: bits of the linear feedback shift register x^8 + x^6 + x^5 + x^4 + 1.
  private static let roundConstants: [UInt64] = {
    var register: UInt8 = 1
    return (0..<24).map { _ in
      var constant: UInt64 = 0
      for power in 0..<7 {
        if register & 1 == 1 { constant |= 1 << (UInt64(1) << UInt64(power) - 1) }
        register = register << 1 ^ (register >> 7 == 1 ? 0x71 : 0)
      }
      return constant
    }
  }()
}
