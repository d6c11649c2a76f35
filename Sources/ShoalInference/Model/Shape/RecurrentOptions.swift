// What a layer without attention computes: a selective state space (Mamba, arXiv 2312.00752),
// channel by channel.

/// The numbers of section 3.4: `channels` is the paper's expanded width ED, `state` its N, `rank`
/// that of the projection to the time step.
public struct RecurrentOptions: Sendable, Hashable {
  public var channels: Int
  /// Numbers that each channel remembers.
  public var state: Int
  /// Tokens that the convolution in front sees, the present one included.
  public var kernel: Int
  public var rank: Int
  /// Time step, input and output matrices are normalised (RMS, without weights) before they are
  /// used (Falcon Mamba).
  public var normalisesProjections: Bool

  public init(
    channels: Int, state: Int, kernel: Int, rank: Int, normalisesProjections: Bool = false
  ) {
    self.channels = channels
    self.state = state
    self.kernel = kernel
    self.rank = rank
    self.normalisesProjections = normalisesProjections
  }

  /// Rows of the small projection that all channels are summed in: time step, input, output.
  public var projected: Int { rank + 2 * state }
  /// Bytes that one channel remembers of all tokens before.
  public var stateBytes: Int { (state + kernel - 1) * 4 }
}
