// Ollama's routes over real sockets.

import Foundation
import NIOHTTP1
import ShoalGateway
import ShoalInference
import ShoalNode
import Testing

struct OllamaTests {
  private static func lines(_ answer: RawAnswer) throws -> [[String: Any]] {
    try answer.body.split(separator: "\n").map { line in
      try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any] ?? [:]
    }
  }

  @Test func `a generation streams lines by default, and the last tells the figures`() async throws
  {
    let node = FakeNode()
    let answer = try await served(node) { address in
      try await raw(
        .POST, "/api/generate", to: address,
        body: #"""
          {"model":"tiny:latest","prompt":"ab","system":"s","options":{"num_predict":2,"seed":5,
          "temperature":0,"repeat_penalty":1.5,"stop":["x"],"num_ctx":99}}
          """#)
    }
    let lines = try Self.lines(answer)
    #expect(answer.headers["content-type"] == "application/x-ndjson")
    #expect(lines.compactMap { $0["response"] as? String } == ["word0 ", "word1 ", ""])
    #expect(lines.map { $0["done"] as? Bool } == [false, false, true])
    let last = try #require(lines.last)
    #expect(last["model"] as? String == "tiny:latest")
    #expect(last["done_reason"] as? String == "length")
    #expect(last["eval_count"] as? Int == 2)
    #expect(last["prompt_eval_count"] as? Int == 3)
    #expect((last["total_duration"] as? Int ?? 0) > 0)
    #expect((last["created_at"] as? String)?.hasPrefix("2023-11-14T22:13:20") == true)
    let asked = try #require(node.requests.first)
    #expect(asked.model == "tiny")
    #expect(
      asked.prompt
        == .chat([
          ChatMessage(role: "system", content: "s"), ChatMessage(role: "user", content: "ab"),
        ]))
    #expect(asked.options.sampling.repetitionPenalty == 1.5)
    #expect(asked.options.stop == ["x"])
  }

  @Test func `a raw prompt stands as it is, and a format holds the answer`() async throws {
    let node = FakeNode()
    let answer = try await served(node) { address in
      try await raw(
        .POST, "/api/generate", to: address,
        body: #"""
          {"model":"tiny","prompt":"ab","raw":true,"stream":false,"format":
          {"properties":{"z":{},"a":{}}},"options":{"num_predict":1}}
          """#)
    }
    #expect(try answer.json()["response"] as? String == "word0 ")
    let asked = try #require(node.requests.first)
    #expect(asked.prompt == .text("ab"))
    #expect(asked.options.format == .schema(#"{"properties":{"z":{},"a":{}}}"#))
  }

  @Test func `a chat's message is the assistant's, with the calls of its tools`() async throws {
    let node = FakeNode(.says([#"{"name":"sum","arguments":{"a":1}}"#]))
    let answer = try await served(node) { address in
      try await raw(
        .POST, "/api/chat", to: address,
        body: #"""
          {"model":"tiny","stream":false,"messages":[{"role":"user","content":"a"},
          {"role":"assistant","content":"","tool_calls":[{"function":{"name":"sum",
          "arguments":{"z":1,"a":2}}}]},{"role":"tool","tool_name":"sum","content":"3"}],
          "tools":[{"type":"function","function":{"name":"sum"}}]}
          """#)
    }
    let message = try #require(try answer.json()["message"] as? [String: Any])
    #expect(message["role"] as? String == "assistant")
    let call = try #require((message["tool_calls"] as? [[String: Any]])?.first)
    let function = try #require(call["function"] as? [String: Any])
    #expect(function["name"] as? String == "sum")
    #expect(function["arguments"] as? [String: Int] == ["a": 1])
    guard case .chat(let turns)? = node.requests.first?.prompt else {
      Issue.record("no chat")
      return
    }
    #expect(
      turns[1].others["tool_calls"]?.text
        == #"[{"type":"function","function":{"name":"sum","arguments":{"z":1,"a":2}}}]"#)
    #expect(turns[2].others["name"]?.text == #""sum""#)
  }

  @Test func `a model without a template continues the text`() async throws {
    let node = FakeNode(.refuses(NodeError.noChatTemplate("tiny")))
    let answer = try await served(node) { address in
      try await raw(.POST, "/api/generate", to: address, body: #"{"model":"tiny","prompt":"a"}"#)
    }
    // It is asked again with the text; this node refuses that as well.
    #expect(answer.status == 400)
    #expect((try answer.json()["error"] as? String)?.hasPrefix("tiny has no chat template") == true)
  }

  @Test func `tags, show and version describe the models`() async throws {
    let (tags, show, version) = try await served(FakeNode()) { address in
      (
        try await raw(.GET, "/api/tags", to: address),
        try await raw(.POST, "/api/show", to: address, body: #"{"model":"tiny:latest"}"#),
        try await raw(.GET, "/api/version", to: address)
      )
    }
    let model = try #require((try tags.json()["models"] as? [[String: Any]])?.first)
    #expect(model["name"] as? String == "tiny")
    #expect(model["size"] as? Int == 1_000)
    #expect((model["details"] as? [String: Any])?["family"] as? String == "llama")
    let info = try #require(try show.json()["model_info"] as? [String: Any])
    #expect(info["llama.context_length"] as? Int == 128)
    #expect(info["general.architecture"] as? String == "llama")
    #expect(try version.json()["version"] as? String != nil)
  }

  @Test(arguments: [
    ("/api/generate", #"{"model":"tiny"}"#, 400, "prompt"),
    ("/api/generate", #"{"model":"huge","prompt":"a"}"#, 404, "huge"),
    ("/api/generate", #"{"model":"tiny","prompt":"a","images":["x"]}"#, 400, "images"),
    ("/api/chat", #"{"model":"tiny"}"#, 400, "messages"),
    ("/api/chat", #"{"model":"tiny","messages":[]}"#, 400, "messages"),
    ("/api/chat", #"{"model":"tiny","messages":"#, 400, "JSON"),
    ("/api/show", "{}", 400, "model"),
  ])
  func `an error is a sentence, as Ollama's clients expect it`(
    _ path: String, _ body: String, _ status: Int, _ word: String
  ) async throws {
    let answer = try await served(FakeNode()) { try await raw(.POST, path, to: $0, body: body) }
    #expect(answer.status == status)
    #expect((try answer.json()["error"] as? String)?.contains(word) == true)
  }
}
