// Why a peer's answer did not come.

public import ShoalProtocol

public enum ClientError: Error, Sendable, Hashable {
  /// Nothing listens there.
  case notRunning(Endpoint)
  /// The peer answered, and said no.
  case refused(status: Int, ErrorFacts)
  /// The job began and failed.
  case failed(ErrorFacts)
  /// What came is no answer of a peer. `status` is nil where no head came.
  case notAPeer(Endpoint, status: Int?)
  /// The connection went before the answer's end.
  case lost(Endpoint)
  case answerTooLong(limit: Int)
}

extension ClientError {
  /// The peer is gone, or seems so: another may have its job's log.
  var isLoss: Bool {
    switch self {
    case .notRunning, .lost: true
    case .refused, .failed, .notAPeer, .answerTooLong: false
    }
  }
}

extension ClientError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .notRunning(let address): "no peer runs at \(address): start one with `shoal peer`"
    case .refused(_, let facts), .failed(let facts): facts.message
    case .notAPeer(let address, let status):
      "\(address) does not answer as a peer does" + (status.map { " (status \($0))" } ?? "")
    case .lost(let address): "the peer at \(address) went away before its answer was whole"
    case .answerTooLong(let limit): "the answer has a line of more than \(limit) bytes"
    }
  }
}
