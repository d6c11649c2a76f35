// The routes for vectors over real sockets, in the shapes of OpenAI and Ollama.

import Foundation
import NIOHTTP1
import ShoalGateway
import ShoalNode
import ShoalProtocol
import Testing

struct EmbeddingTests {
  private func ask(_ path: String, _ body: String, _ node: FakeNode) async throws -> RawAnswer {
    try await served(node) { try await raw(.POST, path, to: $0, body: body) }
  }

  @Test func `OpenAI's route answers one text with one vector and the usage`() async throws {
    let node = FakeNode()
    let answer = try await ask("/v1/embeddings", #"{"model":"tiny","input":"abc"}"#, node)
    #expect(answer.status == 200)
    let json = try answer.json()
    #expect(json["object"] as? String == "list")
    #expect(json["model"] as? String == "tiny")
    let first = try #require((json["data"] as? [[String: Any]])?.first)
    #expect(first["object"] as? String == "embedding")
    #expect(first["index"] as? Int == 0)
    #expect((first["embedding"] as? [Double])?.map { Float($0) } == [0, 3, 0.1])
    #expect(json["usage"] as? [String: Int] == ["prompt_tokens": 3, "total_tokens": 3])
    #expect(node.embeddingRequests == [EmbeddingRequest(model: "tiny", texts: [.text("abc")])])
  }

  private static let inputs: [(String, [EmbeddingRequest.Text])] = [
    (#"["a","bc"]"#, [.text("a"), .text("bc")]), ("[5,6,7]", [.tokens([5, 6, 7])]),
    ("[[5],[6,7]]", [.tokens([5]), .tokens([6, 7])]),
    (#"["a",[6,7]]"#, [.text("a"), .tokens([6, 7])]),
  ]

  @Test(arguments: inputs)
  func `texts come as strings or as token ids, one or many`(
    _ input: String, _ texts: [EmbeddingRequest.Text]
  ) async throws {
    let node = FakeNode()
    let answer = try await ask("/v1/embeddings", #"{"model":"tiny","input":\#(input)}"#, node)
    #expect(answer.status == 200)
    #expect(node.embeddingRequests.first?.texts == texts)
    #expect(try (answer.json()["data"] as? [Any])?.count == texts.count)
  }

  @Test func `numbers come in base64 where that is asked`() async throws {
    let answer = try await ask(
      "/v1/embeddings", #"{"model":"tiny","input":"abc","encoding_format":"base64"}"#, FakeNode())
    let data = try #require(try answer.json()["data"] as? [[String: Any]])
    let text = try #require(data.first?["embedding"] as? String)
    #expect(text == "AAAAAAAAQEDNzMw9")
  }

  @Test(arguments: [
    (#"{"input":"a"}"#, "model"), (#"{"model":"tiny"}"#, "input"),
    (#"{"model":"tiny","input":[]}"#, "input"), (#"{"model":"tiny","input":3}"#, "input"),
    (#"{"model":"tiny","input":"a","dimensions":7}"#, "dimensions"),
    (#"{"model":"tiny","input":"a","encoding_format":"hex"}"#, "encoding_format"),
    (#"{"model":"tiny","input":"a","pooling":"max"}"#, "pooling"),
  ])
  func `what cannot be done is refused by its name`(
    _ body: String, _ field: String
  ) async throws {
    let answer = try await ask("/v1/embeddings", body, FakeNode())
    #expect(answer.status == 400)
    #expect(try answer.error["param"] as? String == field)
  }

  @Test func `the model's own number of dimensions may be asked for`() async throws {
    let answer = try await ask(
      "/v1/embeddings", #"{"model":"tiny","input":"a","dimensions":32}"#, FakeNode())
    #expect(answer.status == 200)
  }

  @Test func `Ollama's routes answer with the same vectors`() async throws {
    let node = FakeNode()
    let body = #"{"model":"tiny","input":["abc","d"],"truncate":false,"pooling":"cls"}"#
    let many = try await ask("/api/embed", body, node)
    #expect(many.status == 200)
    let json = try many.json()
    let vectors = try #require(json["embeddings"] as? [[Double]])
    #expect(vectors.map { $0.map { Float($0) } } == [[0, 3, 0.1], [1, 1, 0.1]])
    #expect(json["prompt_eval_count"] as? Int == 4)
    #expect(json["tokens"] as? [Int] == [3, 1])
    #expect(node.embeddingRequests.first?.truncates == false)
    #expect(node.embeddingRequests.first?.pooling == .first)
    let one = try await ask("/api/embeddings", #"{"model":"tiny","prompt":"abc"}"#, FakeNode())
    #expect(try (one.json()["embedding"] as? [Double])?.count == 3)
  }

  @Test func `a model of the other kind is a mistake of the client`() async throws {
    for (error, code) in [
      (NodeError.makesNoVectors("tiny"), "model_kind"),
      (.textTooLong(1, tokens: 9, limit: 8), "context_length_exceeded"),
      (.emptyText(0), "empty_input"),
    ] {
      let answer = try await ask(
        "/v1/embeddings", #"{"model":"tiny","input":"a"}"#, FakeNode(.fails(error)))
      #expect(answer.status == 400)
      #expect(try answer.error["code"] as? String == code)
    }
  }

  @Test func `the client of the terminal hears what the node said`() async throws {
    let facts = try await served(FakeNode()) { address in
      try await GatewayClient(address: address).embed(
        EmbedRequest(EmbeddingRequest(model: "tiny", texts: [.text("abc"), .tokens([1])])))
    }
    #expect(facts.embeddings == [[0, 3, 0.1], [1, 1, 0.1]])
    #expect(facts.hashes.count == 2)
    #expect(facts.peers.map(\.share) == [1])
    #expect(facts.plan == FakeNode.planID.raw.hex)
  }
}
