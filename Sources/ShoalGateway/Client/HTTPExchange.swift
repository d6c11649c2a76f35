// One request and its answer on one connection, straight on NIO: with back-pressure, and closed
// when the task is cancelled.

import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import ShoalProtocol

struct HTTPExchange: Sendable {
  let address: Endpoint
  let key: String?

  private typealias Connection = NIOAsyncChannel<HTTPClientResponsePart, HTTPClientRequestPart>

  /// How long nothing may come before the connection counts as lost.
  struct Silence: Sendable {
    let limit: Duration
    /// Else from the first piece of the answer on.
    let countsFromStart: Bool
    let gate: SilenceGate
  }

  /// - Parameters:
  ///   - take: called with each piece of the body, in order, with the answer's status.
  func send(
    _ method: HTTPMethod, _ path: String, body: Data?, silence: Silence? = nil,
    take: (_ status: Int, ByteBuffer) async throws -> Void
  ) async throws {
    let connection = try await connect(silence)
    var isAnswered = false
    do {
      try await connection.executeThenClose { inbound, outbound in
        try await write(method, path, body: body, to: outbound)
        try await read(inbound, take: take)
        isAnswered = true
      }
    } catch is IOError {
      throw ClientError.lost(address)
    } catch is ChannelError {
      // The peer closes first, as it was asked to; after the answer that is no loss.
      guard isAnswered else { throw ClientError.lost(address) }
    } catch HTTPParserError.invalidEOFState {
      // In the middle of an answer that was one until then.
      throw ClientError.lost(address)
    } catch is HTTPParserError {
      throw ClientError.notAPeer(address, status: nil)
    }
    // A cancelled read ends like a closed connection.
    try Task.checkCancellation()
  }

  private func connect(_ silence: Silence?) async throws -> Connection {
    do {
      return try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        .connectTimeout(
          silence.map { $0.countsFromStart ? .nanoseconds($0.limit.nanoseconds) : .seconds(10) }
            ?? .seconds(10)
        )
        .connect(host: address.host, port: Int(address.port)) { channel in
          channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.addHTTPClientHandlers()
            if let silence {
              try channel.pipeline.syncOperations.addHandler(
                SilenceWatch(silence))
            }
            return try Connection(wrappingChannelSynchronously: channel)
          }
        }
    } catch is CancellationError {
      throw CancellationError()
    } catch {
      throw ClientError.notRunning(address)
    }
  }

  private func write(
    _ method: HTTPMethod, _ path: String, body: Data?,
    to outbound: NIOAsyncChannelOutboundWriter<HTTPClientRequestPart>
  ) async throws {
    var headers: HTTPHeaders = ["Host": "\(address)", "Connection": "close"]
    if let key { headers.add(name: "Authorization", value: "Bearer \(key)") }
    if let body {
      headers.add(name: "Content-Type", value: "application/json")
      headers.add(name: "Content-Length", value: "\(body.count)")
    }
    let head = HTTPRequestHead(version: .http1_1, method: method, uri: path, headers: headers)
    // In one piece: a peer that answers the head at once would close before a second one.
    var parts: [HTTPClientRequestPart] = [.head(head)]
    if let body { parts.append(.body(.byteBuffer(ByteBuffer(bytes: body)))) }
    parts.append(.end(nil))
    try await outbound.write(contentsOf: parts)
  }

  private func read(
    _ inbound: NIOAsyncChannelInboundStream<HTTPClientResponsePart>,
    take: (_ status: Int, ByteBuffer) async throws -> Void
  ) async throws {
    var status: Int?
    for try await part in inbound {
      switch part {
      case .head(let head): status = Int(head.status.code)
      case .body(let buffer):
        guard let status else { throw ClientError.notAPeer(address, status: nil) }
        try await take(status, buffer)
      case .end: return
      }
    }
    try Task.checkCancellation()
    throw ClientError.lost(address)
  }
}
