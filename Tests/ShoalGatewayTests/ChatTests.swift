// OpenAI's chat route against a node that only pretends.

import Foundation
import NIOHTTP1
import ShoalGateway
import ShoalNode
import Testing

struct ChatTests {
  private static let messages = #"[{"role":"system","content":"a"},{"role":"user","content":"#

  private static func body(_ content: String = #""b""#, _ rest: String = "") -> String {
    #"{"model":"tiny","max_tokens":2,"messages":"# + messages + content + "}]" + rest + "}"
  }

  @Test(arguments: [#""bc""#, #"[{"type":"text","text":"b"},{"type":"text","text":"c"}]"#])
  func `a chat has the assistant's message, the reason it ended and the usage`(
    _ content: String
  ) async throws {
    let node = FakeNode()
    let answer = try await served(node) { address in
      try await raw(.POST, "/v1/chat/completions", to: address, body: Self.body(content))
    }
    let json = try answer.json()
    let choice = try #require((json["choices"] as? [[String: Any]])?.first)
    let message = try #require(choice["message"] as? [String: Any])
    #expect(json["object"] as? String == "chat.completion")
    #expect(message["role"] as? String == "assistant")
    #expect(message["content"] as? String == "word0 word1 ")
    #expect(choice["finish_reason"] as? String == "length")
    #expect((json["usage"] as? [String: Any])?["prompt_tokens"] as? Int == 3)
  }

  @Test func `a streamed chat begins with the role and ends with the reason and DONE`()
    async throws
  {
    let answer = try await served(FakeNode()) { address in
      try await raw(
        .POST, "/v1/chat/completions", to: address, body: Self.body(#""b""#, #","stream":true"#))
    }
    let events = answer.body.split(separator: "\n\n").map { String($0.dropFirst("data: ".count)) }
    #expect(events.last == "[DONE]")
    let deltas = try events.dropLast().map { event in
      let json = try JSONSerialization.jsonObject(with: Data(event.utf8)) as? [String: Any]
      return (json?["choices"] as? [[String: Any]])?.first ?? [:]
    }
    #expect((deltas.first?["delta"] as? [String: Any])?["role"] as? String == "assistant")
    let text = deltas.compactMap { ($0["delta"] as? [String: Any])?["content"] as? String }
    #expect(text.joined() == "word0 word1 ")
    #expect(deltas.last?["finish_reason"] as? String == "length")
  }

  @Test(arguments: [
    (body(#"[{"type":"image_url"}]"#), "messages[1].content"),
    (body(#""b""#, #","tools":[{"type":"function"}]"#), "tools"),
    (body(#""b""#, #","response_format":{"type":"json_object"}"#), "response_format"),
    (body(#""b""#, #","logprobs":true"#), "logprobs"),
    (#"{"model":"tiny","messages":[]}"#, "messages"),
    (#"{"model":"tiny"}"#, "messages"),
  ])
  func `what a chat cannot have is refused by its name`(_ body: String, _ field: String)
    async throws
  {
    let answer = try await served(FakeNode()) { address in
      try await raw(.POST, "/v1/chat/completions", to: address, body: body)
    }
    #expect(answer.status == 400)
    #expect(try answer.error["param"] as? String == field)
  }
}
