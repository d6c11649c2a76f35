// The bounds of plans: what a stranger's plan, or a model's shape, may make a peer hold.

extension Limits {
  /// Slots of one kind: a vocabulary of 2^24 rows in blocks of 256.
  public static let planSlots = 1 << 16
  /// Layers of a model, and so stages of a plan; the deepest published model has 126.
  public static let planLayers = 4_096
  /// Pipeline stages that a planner tries: each adds a way to every token.
  package static let plannedStages = 32
  /// Tokens of one context: ten times the longest that models are published with.
  public static let planContextTokens = 1 << 24
  /// Atoms of one model: 126 layers of 8 + 208 atoms with 2 x 501 vocabulary blocks are 28,218.
  public static let storedAtoms = 1 << 18
}
