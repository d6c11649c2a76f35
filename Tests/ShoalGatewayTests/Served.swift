// Runs a gateway on a free port for as long as a test asks it things.

import Foundation
import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import ShoalGateway
import ShoalNode
import ShoalProtocol

let anyLoopback = Endpoint(address: [127, 0, 0, 1], port: 0)

/// Serves `node` while `body` runs.
@discardableResult
func served<Value: Sendable>(
  _ node: FakeNode, key: String? = nil, bounds: Gateway.Bounds = .init(),
  traces: TraceSink? = nil, logger: Logger? = nil,
  _ body: @escaping @Sendable (Endpoint) async throws -> Value
) async throws -> Value {
  guard let anyLoopback else { throw ClientError.answerTooLong(limit: 0) }
  let gateway = try Gateway(
    node: node, clock: StepClock(), address: anyLoopback, key: key, bounds: bounds,
    traces: traces, logger: logger ?? Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
  let (listening, continuation) = AsyncStream.makeStream(of: Endpoint.self)
  return try await withThrowingTaskGroup(of: Value?.self) { group in
    group.addTask {
      defer { continuation.finish() }
      try await gateway.run { continuation.yield($0) }
      return nil
    }
    for await address in listening {
      let value = try await body(address)
      group.cancelAll()
      return value
    }
    // It never listened: its task has thrown.
    while try await group.next() != nil {}
    throw CancellationError()
  }
}

/// An answer as it came.
struct RawAnswer: Sendable {
  var status = 0
  var headers: [String: String] = [:]
  var body = ""

  func json() throws -> [String: Any] {
    try JSONSerialization.jsonObject(with: Data(body.utf8)) as? [String: Any] ?? [:]
  }

  var error: [String: Any] {
    get throws { try json()["error"] as? [String: Any] ?? [:] }
  }
}

/// Sends exactly what is given, which `GatewayClient` would not.
func raw(
  _ method: HTTPMethod, _ path: String, to address: Endpoint, headers: HTTPHeaders = [:],
  body: String? = nil
) async throws -> RawAnswer {
  let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
    .connect(host: "127.0.0.1", port: Int(address.port)) { channel in
      channel.eventLoop.makeCompletedFuture {
        try channel.pipeline.syncOperations.addHTTPClientHandlers()
        return try NIOAsyncChannel<HTTPClientResponsePart, HTTPClientRequestPart>(
          wrappingChannelSynchronously: channel)
      }
    }
  return try await channel.executeThenClose { inbound, outbound in
    var all = headers
    if !all.contains(name: "Host") { all.add(name: "Host", value: "\(address)") }
    if let body { all.add(name: "Content-Length", value: "\(body.utf8.count)") }
    try await outbound.write(
      .head(HTTPRequestHead(version: .http1_1, method: method, uri: path, headers: all)))
    if let body { try await outbound.write(.body(.byteBuffer(ByteBuffer(string: body)))) }
    try await outbound.write(.end(nil))
    var answer = RawAnswer()
    for try await part in inbound {
      switch part {
      case .head(let head):
        answer.status = Int(head.status.code)
        for header in head.headers { answer.headers[header.name.lowercased()] = header.value }
      case .body(let buffer): answer.body += String(buffer: buffer)
      case .end: return answer
      }
    }
    return answer
  }
}

/// The numbers of an answer's `usage`, those of `prompt_tokens_details` among them.
func usage(of answer: [String: Any]) -> [String: Int] {
  let usage = answer["usage"] as? [String: Any] ?? [:]
  let details = usage["prompt_tokens_details"] as? [String: Int] ?? [:]
  return usage.compactMapValues { $0 as? Int }.merging(details) { first, _ in first }
}
