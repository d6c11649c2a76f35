// Which of the measured rates a weight format is reckoned with: capability records state four.

internal import ShoalInference
internal import ShoalProtocol

extension WeightFormat {
  /// The precision whose loops are most like this format's. What a plan weighs in is bytes, and
  /// those are the format's own.
  var ratedAs: AtomPrecision {
    switch self {
    case .f32: .f32
    case .f16, .bf16: .f16
    case .q5_0, .q5_1, .q5_K, .q6_K, .q8_0: .q8_0
    case .q4_0, .q4_1, .q2_K, .q3_K, .q4_K, .iq4_nl, .iq4_xs: .q4_0
    }
  }
}
