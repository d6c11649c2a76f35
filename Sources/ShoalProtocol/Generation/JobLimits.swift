// Bounds on one job, each with its reason.

extension Limits {
  /// The longest sequence a job may reserve, in tokens.
  public static let contextTokens = 1 << 20
  /// Tokens of one step: bounds activations, partial sums and the answer's deadline.
  public static let stepTokens = 512
  /// Candidates of one vocabulary atom: as many as the largest block has rows.
  public static let candidates = 256
}
