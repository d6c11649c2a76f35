// OpenAI's chat route against a node that only pretends.

import Foundation
import NIOHTTP1
import ShoalGateway
import ShoalInference
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
    (body(#""b""#, #","tools":[{"type":"function"}]"#), "tools[0].function"),
    (body(#""b""#, #","response_format":{"type":"xml"}"#), "response_format.type"),
    (
      body(
        #""b""#,
        #","response_format":{"type":"json_schema","json_schema":{"schema":{"minimum":1}}}"#),
      "response_format.json_schema.schema"
    ),
    (body(#""b""#, #","top_logprobs":3"#), "top_logprobs"),
    (body(#""b""#, #","logprobs":true,"top_logprobs":99"#), "top_logprobs"),
    (body(#""b""#, #","n":1000"#), "n"),
    (
      body(
        #""b""#, #","tools":[{"function":{"name":"f"}}],"tool_choice":"required""#),
      "tool_choice"
    ),
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

  @Test func `n choices have seeds that follow each other, and one prompt in the usage`()
    async throws
  {
    let node = FakeNode()
    let answer = try await served(node) { address in
      try await raw(
        .POST, "/v1/chat/completions", to: address,
        body: Self.body(#""b""#, #","n":3,"seed":-1"#))
    }
    let choices = try #require(try answer.json()["choices"] as? [[String: Any]])
    #expect(choices.compactMap { $0["index"] as? Int } == [0, 1, 2])
    #expect(node.requests.map(\.options.sampling.seed) == [.max, 0, 1])
    #expect(
      usage(of: try answer.json()) == [
        "prompt_tokens": 2, "cached_tokens": 0, "completion_tokens": 6, "total_tokens": 8,
      ])
  }

  @Test func `logprobs have the shape of each route, whole and streamed`() async throws {
    let chat = Self.body(#""b""#, #","logprobs":true,"top_logprobs":2"#)
    let text = #"{"model":"tiny","prompt":"a","max_tokens":2,"logprobs":2}"#
    let (whole, streamed, completion) = try await served(FakeNode()) { address in
      (
        try await raw(.POST, "/v1/chat/completions", to: address, body: chat),
        try await raw(
          .POST, "/v1/chat/completions", to: address,
          body: String(chat.dropLast()) + #","stream":true}"#),
        try await raw(.POST, "/v1/completions", to: address, body: text)
      )
    }
    let choice = try #require((try whole.json()["choices"] as? [[String: Any]])?.first)
    let content = try #require(
      (choice["logprobs"] as? [String: Any])?["content"] as? [[String: Any]])
    #expect(content.compactMap { $0["token"] as? String } == ["word0 ", "word1 "])
    #expect(content.first?["logprob"] as? Double == -0.5)
    #expect(content.first?["bytes"] as? [Int] == Array("word0 ".utf8).map { Int($0) })
    #expect((content.first?["top_logprobs"] as? [[String: Any]])?.count == 2)
    #expect(streamed.body.components(separatedBy: #""top_logprobs":["#).count == 3)
    let logprobs = try #require(
      (try completion.json()["choices"] as? [[String: Any]])?.first?["logprobs"]
        as? [String: Any])
    #expect(logprobs["text_offset"] as? [Int] == [0, 6])
    #expect(logprobs["token_logprobs"] as? [Double] == [-0.5, -0.5])
    #expect(
      (logprobs["top_logprobs"] as? [[String: Double]])?.first == ["other0": 0, "other1": -1])
  }

  @Test func `what steers an answer reaches the node`() async throws {
    let node = FakeNode()
    let rest = """
      ,"presence_penalty":0.5,"frequency_penalty":-0.25,"repetition_penalty":1.5,
      "logit_bias":{"7":-100,"3":2.5},"response_format":{"type":"json_schema","json_schema":
      {"name":"x","schema":{"properties":{"z":{"type":"null"},"a":{"type":"null"}}}}}
      """
    let answer = try await served(node) { address in
      try await raw(
        .POST, "/v1/chat/completions", to: address, body: Self.body(#""b""#, rest))
    }
    #expect(answer.status == 200, "\(answer.body)")
    let options = try #require(node.requests.first?.options)
    #expect(options.sampling.presencePenalty == 0.5)
    #expect(options.sampling.frequencyPenalty == -0.25)
    #expect(options.sampling.repetitionPenalty == 1.5)
    #expect(options.bias == [TokenBias(token: 3, amount: 2.5), TokenBias(token: 7, amount: -100)])
    #expect(options.mustFit)
    // The members of a schema keep their order.
    #expect(
      options.format == .schema(#"{"properties":{"z":{"type":"null"},"a":{"type":"null"}}}"#))
  }
}
