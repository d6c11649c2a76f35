// The seam to names of models from elsewhere than the mesh's own logs: a chain.

public import ShoalLedger

public protocol RegistrySource: Sendable {
  /// Follows the source until cancelled, through every trouble.
  ///
  /// - Parameter tell: given all names, retired ones included: at first, and after each change.
  func run(_ tell: @escaping @Sendable ([ModelEntry]) async -> Void) async
}
