// What a job leaves behind as spans.

import Foundation
import NIOHTTP1
import ShoalGateway
import ShoalNode
import ShoalProtocol
import Synchronization
import Testing

struct TraceTests {
  private static func spans(_ node: FakeNode) async throws -> [[String: Any]] {
    let written = Mutex<[Data]>([])
    try await served(node, traces: { json in written.withLock { $0.append(json) } }) { address in
      _ = try await raw(
        .POST, "/v1/completions", to: address,
        body: #"{"model":"tiny","prompt":"abc","max_tokens":4}"#)
    }
    let data = try #require(written.withLock { $0.first })
    let json = try JSONSerialization.jsonObject(with: data) as? [String: Any]
    let resource = try #require((json?["resourceSpans"] as? [[String: Any]])?.first)
    let scope = try #require((resource["scopeSpans"] as? [[String: Any]])?.first)
    return try #require(scope["spans"] as? [[String: Any]])
  }

  @Test func `a job is one trace: the whole, and its parts one after the other`() async throws {
    let spans = try await Self.spans(FakeNode())
    #expect(
      spans.compactMap { $0["name"] as? String }
        == ["generation", "queue", "prepare", "prompt", "decode"])
    #expect(Set(spans.compactMap { $0["traceId"] as? String }).count == 1)
    #expect(Set(spans.compactMap { $0["spanId"] as? String }).count == 5)
    for span in spans {
      #expect((span["traceId"] as? String)?.count == 32)
      #expect((span["spanId"] as? String)?.count == 16)
    }
    let whole = try #require(spans.first)
    #expect(
      spans.dropFirst().allSatisfy { $0["parentSpanId"] as? String == whole["spanId"] as? String })
    let times = try spans.dropFirst().map { span in
      (
        try #require(UInt64(span["startTimeUnixNano"] as? String ?? "")),
        try #require(UInt64(span["endTimeUnixNano"] as? String ?? ""))
      )
    }
    for (one, next) in zip(times, times.dropFirst()) { #expect(one.1 == next.0) }
    #expect(times.allSatisfy { $0.0 <= $0.1 })
    #expect((whole["status"] as? [String: Any])?["code"] as? Int == 1)
    let attributes = try #require(whole["attributes"] as? [[String: Any]])
    let tokens = attributes.first { $0["key"] as? String == "gen_ai.usage.output_tokens" }
    #expect((tokens?["value"] as? [String: Any])?["intValue"] as? String == "4")
  }

  @Test func `a job that failed says why, and has the parts that it came to`() async throws {
    let spans = try await Self.spans(
      FakeNode(.fails(NodeError.failed(.peerLost(PeerID(.repeated(1)))))))
    #expect(spans.compactMap { $0["name"] as? String } == ["generation", "queue", "prepare"])
    let status = try #require(spans.first?["status"] as? [String: Any])
    #expect(status["code"] as? Int == 2)
    #expect((status["message"] as? String)?.contains("was lost") == true)
  }
}
