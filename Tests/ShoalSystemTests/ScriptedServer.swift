// An HTTP server on loopback that misbehaves as it is told.

import Foundation
import ShoalNode
import ShoalProtocol
import ShoalSystem
import Synchronization

/// A request as it arrived.
struct ServedRequest: Sendable {
  let path: String
  /// By lower-case name.
  let headers: [String: String]

  /// The first byte of `Range: bytes=n-`.
  var start: Int {
    let range = headers["range"]?.dropFirst("bytes=".count)
    return range?.split(separator: "-").first.flatMap { Int($0) } ?? 0
  }
  /// The last byte of the range.
  var end: Int? {
    let sides = headers["range"]?.split(separator: "-")
    return sides?.count == 2 ? sides?.last.flatMap { Int($0) } : nil
  }
}

/// What is sent back: any bytes at all, then the connection is closed.
struct ServedAnswer: Sendable {
  var status = "200 OK"
  var headers: [(String, String)] = []
  var body: [UInt8] = []

  var bytes: [UInt8] {
    let lines = ["HTTP/1.1 \(status)", "Connection: close"] + headers.map { "\($0): \($1)" }
    return Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8) + body
  }

  static func whole(_ body: [UInt8], length: Int? = nil) -> ServedAnswer {
    ServedAnswer(headers: [("Content-Length", "\(length ?? body.count)")], body: body)
  }

  /// The part of `file` that was asked for, cut after `limit` bytes without a word.
  static func part(
    of file: [UInt8], _ request: ServedRequest, limit: Int = .max, tag: String = "\"1\""
  ) -> ServedAnswer {
    let end = min(request.end ?? file.count - 1, file.count - 1)
    let body = Array(file[request.start...end])
    return ServedAnswer(
      status: "206 Partial Content",
      headers: [
        ("Content-Length", "\(body.count)"), ("ETag", tag),
        ("Content-Range", "bytes \(request.start)-\(end)/\(file.count)"),
      ], body: Array(body.prefix(limit)))
  }
}

/// Answers one request for each connection by `answer`, which is told how many came before.
final class ScriptedServer: Sendable {
  typealias Answer = @Sendable (_ request: ServedRequest, _ number: Int) -> ServedAnswer
  private let transport: TCPTransport
  private let answer: Answer
  private let seen = Mutex<[ServedRequest]>([])

  init(_ answer: @escaping Answer) throws {
    guard let endpoint = Endpoint("127.0.0.1:0") else { throw CancellationError() }
    transport = try TCPTransport(listen: endpoint, openLimit: 64)
    self.answer = answer
  }

  var address: String { "http://\(transport.localEndpoints[0])" }
  var requests: [ServedRequest] { seen.withLock { $0 } }

  /// Serves while `body` runs.
  func during<Result: Sendable>(
    _ body: @escaping @Sendable () async throws -> Result
  ) async throws -> Result {
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        for await stream in self.transport.accepted { await self.serve(stream) }
      }
      defer {
        transport.close()
        group.cancelAll()
      }
      return try await body()
    }
  }

  private func serve(_ stream: any ByteStream) async {
    defer { stream.close() }
    let deadline = SystemClock().now() + .seconds(20)
    do {
      var head: [UInt8] = []
      while !head.suffix(4).elementsEqual("\r\n\r\n".utf8) {
        head += try await stream.read(exactly: 1, deadline: deadline)
      }
      let lines = String(decoding: head, as: UTF8.self).split(separator: "\r\n")
      var headers: [String: String] = [:]
      for line in lines.dropFirst() {
        let sides = line.split(separator: ":", maxSplits: 1)
        headers[sides[0].lowercased()] = sides[1].trimmingCharacters(in: .whitespaces)
      }
      let request = ServedRequest(
        path: lines[0].split(separator: " ")[1].description, headers: headers)
      let number = seen.withLock { seen in
        seen.append(request)
        return seen.count - 1
      }
      try await stream.write(answer(request, number).bytes, deadline: deadline)
    } catch {
      // The client went away: that is its good right.
    }
  }
}
