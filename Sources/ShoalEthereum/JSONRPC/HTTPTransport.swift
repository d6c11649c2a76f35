// JSON-RPC over HTTP, by the system's client (docs/decisions/0074-urlsession-asks-nodes.md).

internal import Foundation

#if canImport(FoundationNetworking)
  internal import FoundationNetworking
#endif

/// One node. Its address may carry a key: it is not logged.
public struct HTTPTransport: RPCTransport {
  private let url: URL
  private let session: URLSession

  /// Answers of `eth_getLogs` over 2,000 blocks stay far below.
  private static let answerLimit = 64 << 20
  private static let patience: TimeInterval = 20

  /// Nil: no address.
  public init?(url: String) {
    guard let url = URL(string: url), url.scheme == "http" || url.scheme == "https" else {
      return nil
    }
    self.url = url
    let configuration = URLSessionConfiguration.ephemeral
    configuration.httpCookieAcceptPolicy = .never
    configuration.urlCache = nil
    configuration.timeoutIntervalForRequest = Self.patience
    session = URLSession(configuration: configuration)
  }

  public func post(_ body: [UInt8]) async throws -> RPCReply {
    var request = URLRequest(url: url)
    request.httpMethod = "POST"
    request.setValue("application/json", forHTTPHeaderField: "content-type")
    request.httpBody = Data(body)
    let (data, response) = try await session.data(for: request)
    guard let response = response as? HTTPURLResponse else {
      throw RPCError.malformed("no HTTP")
    }
    guard data.count <= Self.answerLimit else {
      throw RPCError.malformed("an answer of \(data.count) bytes")
    }
    return RPCReply(
      status: response.statusCode, body: Array(data),
      retryAfter: response.value(forHTTPHeaderField: "retry-after").flatMap { Int($0) })
  }
}
