// Asks a node one thing at a time by JSON-RPC 2.0, and again where it was busy or the line broke.
// Every question may be asked twice: a transaction has its hash before it is sent.

internal import ShoalProtocol

/// What came back over HTTP.
public struct RPCReply: Hashable, Sendable {
  public let status: Int
  public let body: [UInt8]
  /// Seconds that the node asks to be left alone (RFC 9110, section 10.2.3).
  public let retryAfter: Int?

  public init(status: Int, body: [UInt8], retryAfter: Int? = nil) {
    (self.status, self.body, self.retryAfter) = (status, body, retryAfter)
  }
}

/// The seam to HTTP: the system's in production, a broken line in tests.
public protocol RPCTransport: Sendable {
  /// Throws where no answer came.
  func post(_ body: [UInt8]) async throws -> RPCReply
}

public enum RPCError: Error, Hashable, Sendable {
  /// No answer, after so many tries.
  case unreachable(String, tries: Int)
  /// 429 or 503, after so many tries.
  case busy(status: Int, tries: Int)
  case http(status: Int)
  /// The answer is no JSON-RPC, or has another shape than the question's answer.
  case malformed(String)
  /// The node's own error.
  case refused(code: Int64, message: String, data: [UInt8])
}

extension RPCError: CustomStringConvertible {
  /// One sentence for a person.
  public var description: String {
    switch self {
    case .unreachable(let reason, let tries):
      "the chain's node does not answer (\(reason)), asked \(tries) times"
    case .busy(let status, let tries):
      "the chain's node is busy (HTTP \(status)), asked \(tries) times"
    case .http(let status): "the chain's node answered HTTP \(status)"
    case .malformed(let what): "the chain's node talks nonsense: \(what)"
    case .refused(let code, let message, _): "the chain's node refused: \(message) (\(code))"
    }
  }
}

public struct RPCClient: Sendable {
  private let transport: any RPCTransport
  private let tries: Int
  private let sleep: @Sendable (Duration) async throws -> Void

  public static let firstPause = Duration.milliseconds(200)
  public static let longestPause = Duration.seconds(8)

  /// - Parameters:
  ///   - tries: of one question, pauses of `firstPause`, twice that and so on between them.
  ///   - sleep: waits between tries.
  public init(
    _ transport: any RPCTransport, tries: Int = 5,
    sleep: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }
  ) {
    self.transport = transport
    self.tries = max(1, tries)
    self.sleep = sleep
  }

  /// The result of a method. Throws `RPCError`, and `CancellationError`.
  public func call(_ method: String, _ parameters: [RPCValue] = []) async throws -> RPCValue {
    let question = try RPCValue.object([
      "jsonrpc": .string("2.0"), "id": .integer(1), "method": .string(method),
      "params": .list(parameters),
    ]).json
    var last = RPCError.unreachable("never asked", tries: 0)
    for attempt in 1...tries {
      var pause = min(Self.firstPause * (1 << min(attempt - 1, 8)), Self.longestPause)
      do {
        let reply = try await transport.post(question)
        guard reply.status == 429 || reply.status == 503 || reply.status == 502 else {
          return try result(reply)
        }
        last = .busy(status: reply.status, tries: attempt)
        if let seconds = reply.retryAfter {
          pause = min(max(pause, .seconds(seconds)), Self.longestPause)
        }
      } catch let error as RPCError {
        throw error
      } catch is CancellationError {
        throw CancellationError()
      } catch {
        last = .unreachable("\(error)", tries: attempt)
      }
      if attempt < tries { try await sleep(pause) }
    }
    throw last
  }

  private func result(_ reply: RPCReply) throws -> RPCValue {
    let answer: RPCValue
    do {
      answer = try RPCValue(json: reply.body)
    } catch {
      // Some nodes answer an error of HTTP without JSON.
      throw reply.status == 200 ? RPCError.malformed("no JSON") : .http(status: reply.status)
    }
    if let error = answer["error"], error != .null {
      var code: Int64 = 0
      if case .integer(let number)? = error["code"] { code = number }
      throw RPCError.refused(
        code: code, message: error["message"]?.text ?? "", data: error["data"]?.data ?? [])
    }
    guard reply.status == 200 else { throw RPCError.http(status: reply.status) }
    guard case .object(let members) = answer, let result = members["result"] else {
      throw RPCError.malformed("neither result nor error")
    }
    return result
  }
}
