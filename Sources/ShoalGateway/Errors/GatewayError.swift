// Why the gateway could not start.

public import ShoalProtocol

public enum GatewayError: Error, Sendable, Hashable {
  /// Anybody who reaches the address could use the peer.
  case keyRequired(Endpoint)
  case addressInUse(Endpoint)
  /// `code` is the system's error number.
  case cannotListen(Endpoint, code: Int32)
}

extension GatewayError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .keyRequired(let address):
      "\(address) can be reached from outside: give a key, or listen on 127.0.0.1"
    case .addressInUse(let address):
      "\(address) is in use: stop what listens there, or choose another port (0 takes any)"
    case .cannotListen(let address, let code):
      "cannot listen on \(address): system error \(code)"
    }
  }
}
