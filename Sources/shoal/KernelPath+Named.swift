// The kernel path that a flag names.

import ArgumentParser
import ShoalInference
import ShoalPeer

extension KernelPath {
  /// The path that a person names; the fastest where nobody does.
  static func named(_ name: String?) throws -> KernelPath {
    guard let name else { return .best }
    guard let path = KernelPath(rawValue: name) else {
      throw ValidationError("--kernel is \(choices)")
    }
    guard path.isAvailable else { throw PeerError.noSuchKernel(path, available: available) }
    return path
  }
}
