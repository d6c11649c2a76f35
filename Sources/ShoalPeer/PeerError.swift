// Why a peer could not be put together, in sentences for a person.

public import ShoalInference
public import ShoalProtocol
public import ShoalSecurity

public enum PeerError: Error, Hashable, Sendable, CustomStringConvertible {
  case damagedIdentity(path: String, count: Int)
  /// A later program wrote the data directory.
  case newerStore(path: String, version: UInt32, known: UInt32)
  /// A document of the data directory cannot be read.
  case damagedDocument(path: String, WireError)
  case unknownModel(String)
  case sealedKey(path: String, SealedKeyError)
  /// A sealed key, and neither a variable nor a person that says the password.
  case passwordNeeded
  case passwordsDiffer
  case noSuchKernel(KernelPath, available: [KernelPath])
  /// A setting that cannot be read; `source` is the flag, the variable or the file.
  case setting(source: String, value: String, expected: String)

  public var description: String {
    switch self {
    case .damagedIdentity(let path, let count):
      "\(path) is damaged: it has \(count) bytes, not 32"
    case .newerStore(let path, let version, let known):
      "\(path) is of version \(version), and this program knows versions up to \(known): update it,"
        + " or take another directory with --data"
    case .damagedDocument(let path, let error):
      "\(path) is damaged (\(error)): restore it from a copy, or move it away to do without it"
    case .sealedKey(let path, let error): "\(path): \(error)"
    case .passwordNeeded: "a sealed key needs its password: SHOAL_PASSWORD, or a terminal"
    case .passwordsDiffer: "the passwords differ, or are empty; nothing was changed"
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
