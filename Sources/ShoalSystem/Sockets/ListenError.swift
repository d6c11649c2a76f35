// Why a peer cannot be reached where it was told to be.

public import ShoalProtocol

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A configuration error: the address to listen on does not work out. Refused once, at start.
public enum ListenError: Error, Hashable, Sendable, CustomStringConvertible {
  public enum Use: String, Hashable, Sendable {
    case datagrams = "UDP"
    case streams = "TCP"
    case beacons = "LAN beacons over UDP"
  }
  case addressInUse(Endpoint, Use)
  /// No interface of this machine has it.
  case addressNotHere(Endpoint, Use)
  case notPermitted(Endpoint, Use)
  case system(Endpoint, Use, SystemCallError)

  init(_ endpoint: Endpoint, _ use: Use, _ error: SystemCallError) {
    self =
      switch error.code {
      case EADDRINUSE: .addressInUse(endpoint, use)
      case EADDRNOTAVAIL: .addressNotHere(endpoint, use)
      case EACCES, EPERM: .notPermitted(endpoint, use)
      case _: .system(endpoint, use, error)
      }
  }

  public var description: String {
    switch self {
    case .addressInUse(let endpoint, let use):
      "\(endpoint) is in use by another program (\(use.rawValue))"
    case .addressNotHere(let endpoint, let use):
      "\(endpoint) is no address of this machine (\(use.rawValue))"
    case .notPermitted(let endpoint, let use):
      "not permitted to listen on \(endpoint) (\(use.rawValue))"
    case .system(let endpoint, let use, let error):
      "cannot listen on \(endpoint) (\(use.rawValue)): \(error)"
    }
  }
}
