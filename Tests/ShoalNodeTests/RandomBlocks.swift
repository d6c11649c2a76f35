// Weights of formats that are read and not made: arbitrary bits under scales that keep them sane.

import ShoalInference

/// Blocks whose integers are random and whose f16 scales give weights of a stated deviation.
struct RandomBlocks {
  private let format: WeightFormat
  /// Where a block has d, and where dmin.
  private let offsets: [Int]
  /// Deviation of the integers that d scales, and the ratio of dmin to d that centres them.
  private let deviation: Float
  private let ratio: Float

  /// Nil for formats that `WeightQuantizer` makes.
  init?(_ format: WeightFormat) {
    self.format = format
    switch format {
    case .f32, .f16, .bf16, .q4_0, .q4_1, .q5_0, .q5_1, .q8_0: return nil
    case .q2_K: (offsets, deviation, ratio) = ([80, 82], 13, 1.5)
    case .q3_K: (offsets, deviation, ratio) = ([108], 42, 0)
    case .q4_K: (offsets, deviation, ratio) = ([0, 2], 230, 7.5)
    case .q5_K: (offsets, deviation, ratio) = ([0, 2], 470, 15.5)
    case .q6_K: (offsets, deviation, ratio) = ([208], 1_370, 0)
    case .iq4_nl: (offsets, deviation, ratio) = ([0], 70, 0)
    case .iq4_xs: (offsets, deviation, ratio) = ([0], 1_300, 0)
    }
  }

  func bytes(elements: Int, deviation wanted: Float, _ random: inout SeededGenerator) -> [UInt8] {
    var bytes: [UInt8] = []
    for _ in 0..<elements / format.blockColumns {
      var block = (0..<format.blockBytes).map { _ in UInt8(truncatingIfNeeded: random.next()) }
      // Half to one and a half of the mean scale.
      let scale = wanted / deviation * (0.5 + Float(random.next() >> 40) * 0x1p-24)
      for (offset, value) in zip(offsets, [scale, scale * ratio]) {
        let bits = Half.bits(value)
        block[offset] = UInt8(truncatingIfNeeded: bits)
        block[offset + 1] = UInt8(bits >> 8)
      }
      bytes += block
    }
    return bytes
  }
}
