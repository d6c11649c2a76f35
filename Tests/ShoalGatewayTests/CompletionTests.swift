// OpenAI's routes over real sockets.

import Foundation
import NIOHTTP1
import ShoalGateway
import ShoalInference
import ShoalNode
import ShoalProtocol
import Testing

struct CompletionTests {
  @Test func `a completion has the text, the reason it ended and the usage`() async throws {
    let node = FakeNode()
    let answer = try await served(node) { address in
      try await raw(
        .POST, "/v1/completions", to: address,
        body: #"{"model":"tiny","prompt":"abc","max_tokens":2,"temperature":0,"stop":"\n"}"#)
    }
    #expect(answer.status == 200)
    let json = try answer.json()
    #expect(json["object"] as? String == "text_completion")
    #expect(json["id"] as? String == "cmpl-\(FakeNode.jobID.raw.hex)")
    #expect(json["created"] as? Int == 1_700_000_000)
    #expect(json["model"] as? String == "tiny")
    let choice = try #require((json["choices"] as? [[String: Any]])?.first)
    #expect(choice["text"] as? String == "word0 word1 ")
    #expect(choice["finish_reason"] as? String == "length")
    #expect(
      usage(of: json) == [
        "prompt_tokens": 3, "cached_tokens": 0, "completion_tokens": 2, "total_tokens": 5,
      ])
    let asked = try #require(node.requests.first)
    #expect(asked.prompt == .text("abc"))
    #expect(asked.options.sampling.temperature == 0)
    #expect(asked.options.stop == ["\n"])
  }

  @Test func `every sampling field reaches the node`() async throws {
    let node = FakeNode()
    let body = """
      {"model":"tiny","prompt":[3,1,2],"max_tokens":1,"temperature":0.5,"top_p":0.9,"top_k":7,
       "min_p":0.25,"seed":99,"stop":["a","b"],"objective":"spread"}
      """
    let answer = try await served(node) {
      try await raw(.POST, "/v1/completions", to: $0, body: body)
    }
    #expect(answer.status == 200)
    var sampling = SamplingOptions()
    sampling.temperature = 0.5
    sampling.topP = 0.9
    sampling.topK = 7
    sampling.minP = 0.25
    sampling.seed = 99
    let asked = try #require(node.requests.first)
    #expect(asked.prompt == .tokens([3, 1, 2]))
    #expect(asked.options.sampling == sampling)
    #expect(asked.options.stop == ["a", "b"])
    #expect(asked.options.maximumTokens == 1)
    #expect(asked.objective == .spread)
  }

  @Test func `without a seed two requests draw differently`() async throws {
    let node = FakeNode()
    try await served(node) { address in
      for _ in 0..<2 {
        _ = try await raw(
          .POST, "/v1/completions", to: address, body: #"{"model":"tiny","prompt":"a"}"#)
      }
    }
    let seeds = node.requests.map(\.options.sampling.seed)
    #expect(seeds.count == 2)
    #expect(seeds.first != seeds.last)
  }

  @Test func `a streamed completion is server-sent events that end with DONE`() async throws {
    let body = """
      {"model":"tiny","prompt":"abc","max_tokens":2,"stream":true,
       "stream_options":{"include_usage":true}}
      """
    let answer = try await served(FakeNode()) { address in
      try await raw(.POST, "/v1/completions", to: address, body: body)
    }
    #expect(answer.status == 200)
    #expect(answer.headers["content-type"] == "text/event-stream")
    let events = answer.body.components(separatedBy: "\n\n").filter { !$0.isEmpty }
    #expect(events.allSatisfy { $0.hasPrefix("data: ") })
    #expect(events.last == "data: [DONE]")
    let chunks = try events.dropLast().map { event in
      try #require(
        JSONSerialization.jsonObject(with: Data(event.dropFirst(6).utf8)) as? [String: Any])
    }
    let choices = chunks.compactMap { ($0["choices"] as? [[String: Any]])?.first }
    #expect(choices.compactMap { $0["text"] as? String } == ["word0 ", "word1 ", ""])
    #expect(choices.last?["finish_reason"] as? String == "length")
    #expect(usage(of: try #require(chunks.last))["total_tokens"] == 5)
  }

  @Test func `the list of models has OpenAI's shape`() async throws {
    let answer = try await served(FakeNode()) { try await raw(.GET, "/v1/models", to: $0) }
    let json = try answer.json()
    #expect(json["object"] as? String == "list")
    let model = try #require((json["data"] as? [[String: Any]])?.first)
    #expect(model["id"] as? String == "tiny")
    #expect(model["object"] as? String == "model")
    #expect(model["created"] as? Int == 1_600_000_000)
  }
}
