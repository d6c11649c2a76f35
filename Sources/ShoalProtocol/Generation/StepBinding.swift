// Ties every data message to its job, term, plan and all tokens so far: a partial sum of anything
// else is refused, never added.

/// A 64-bit fold over what two ranks must agree on before their numbers may meet. Not a seal
/// (frames are authenticated by their session): it finds mistakes, not forgeries.
public struct StepBinding: Hashable, Sendable {
  public private(set) var value: UInt64 = 0

  public init(job: JobID, term: Term, plan: PlanID) {
    fold(job.raw.prefix64)
    fold(UInt64(term.value))
    fold(plan.raw.prefix64)
  }

  /// Takes in tokens of a step, where and in which slot they begin, and after whose.
  public mutating func absorb(
    slot: Int = 0, position: Int, source: Int? = nil, tokens: some Sequence<UInt32>
  ) {
    fold(UInt64(slot) << 32 | UInt64(position))
    if let source { fold(UInt64(source)) }
    for token in tokens { fold(UInt64(token)) }
  }

  /// The finaliser of SplitMix64 (Steele et al., OOPSLA 2014, figure 16) over a running xor.
  private mutating func fold(_ word: UInt64) {
    var mixed = (value ^ word) &+ 0x9e37_79b9_7f4a_7c15
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    value = mixed ^ (mixed >> 31)
  }
}
