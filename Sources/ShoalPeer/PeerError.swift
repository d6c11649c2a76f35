// Why a peer could not be put together, in sentences for a person.

public import ShoalInference

public enum PeerError: Error, Hashable, Sendable, CustomStringConvertible {
  case damagedIdentity(path: String, count: Int)
  case unknownModel(String)
  case noSuchKernel(KernelPath, available: [KernelPath])
  /// A setting that cannot be read; `source` is the flag, the variable or the file.
  case setting(source: String, value: String, expected: String)

  public var description: String {
    switch self {
    case .damagedIdentity(let path, let count):
      "\(path) is damaged: it has \(count) bytes, not 32"
    case .unknownModel(let name):
      "no model named \(name): `shoal models` lists what there is, `shoal import PATH` adds one"
    case .noSuchKernel(let path, let available):
      "this machine cannot run \(path.rawValue) kernels; it has "
        + available.map(\.rawValue).joined(separator: ", ")
    case .setting(let source, let value, let expected):
      "\(source) is \"\(value)\", which is not \(expected)"
    }
  }
}
