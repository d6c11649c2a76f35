// An answer that is written piece by piece while the job runs; the job ends when the client goes.

import Foundation
import HTTPTypes
import Hummingbird
import NIOCore

/// How pieces are told apart on the way.
enum StreamFraming: Sendable {
  /// One JSON object on each line.
  case lines
  /// Server-sent events (HTML Standard, section 9.2).
  case events

  var contentType: String {
    switch self {
    case .lines: "application/x-ndjson"
    case .events: "text/event-stream"
    }
  }

  func frame(_ json: Data) -> ByteBuffer {
    var buffer = ByteBuffer()
    buffer.reserveCapacity(json.count + 8)
    switch self {
    case .lines:
      buffer.writeBytes(json)
      buffer.writeString("\n")
    case .events:
      buffer.writeString("data: ")
      buffer.writeBytes(json)
      buffer.writeString("\n\n")
    }
    return buffer
  }
}

/// Writes pieces; each is sent at once.
struct StreamedPieces {
  /// Unsafe: the library does not mark it Sendable; one task at a time writes.
  private nonisolated(unsafe) var writer: any ResponseBodyWriter
  private let framing: StreamFraming

  fileprivate init(_ writer: any ResponseBodyWriter, _ framing: StreamFraming) {
    unsafe self.writer = writer
    self.framing = framing
  }

  mutating func send(_ piece: some Encodable) async throws {
    try unsafe await writer.write(framing.frame(try JSONBody.encode(piece)))
  }

  mutating func send(text: String) async throws {
    try unsafe await writer.write(framing.frame(Data(text.utf8)))
  }
}

extension Response {
  /// - Parameters:
  ///   - request: its body has been collected; its connection is watched while `write` runs.
  ///   - slot: given back when the answer has ended.
  static func streamed(
    _ framing: StreamFraming, to request: Request, slot: AdmissionPlace? = nil,
    write: @escaping @Sendable (inout StreamedPieces) async throws -> Void
  ) -> Response {
    Response(
      status: .ok,
      headers: [.contentType: framing.contentType, .cacheControl: "no-cache"],
      body: ResponseBody { writer in
        var pieces = StreamedPieces(writer, framing)
        try await request.body.consumeWithCancellationOnInboundClose { _ in
          try await write(&pieces)
        }
        withExtendedLifetime(slot) {}
        try await writer.finish(nil)
      })
  }
}
