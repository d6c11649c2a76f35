// Every way to be refused: the status, the code and the field that is named.

import NIOHTTP1
import ShoalGateway
import ShoalNode
import ShoalProtocol
import Testing

struct RefusalTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let body: String
    let status: Int
    let code: String
    var param: String?
    var testDescription: String { String(body.prefix(80)) }
  }

  static let cases: [Case] = [
    Case(body: #"{"model":"#, status: 400, code: "broken_json"),
    Case(body: #"{"prompt":"a"}"#, status: 400, code: "missing_field", param: "model"),
    Case(body: #"{"model":"tiny"}"#, status: 400, code: "missing_field", param: "prompt"),
    Case(body: #"{"model":7,"prompt":"a"}"#, status: 400, code: "wrong_type", param: "model"),
    Case(
      body: #"{"model":"tiny","prompt":[1,-1]}"#, status: 400, code: "wrong_type", param: "prompt"),
    Case(
      body: #"{"model":"tiny","prompt":"a","max_tokens":"9"}"#, status: 400, code: "wrong_type",
      param: "max_tokens"),
    Case(
      body: #"{"model":"tiny","prompt":"a","max_tokens":0}"#, status: 400, code: "range",
      param: "max_tokens"),
    Case(
      body: #"{"model":"tiny","prompt":"a","temperature":-1}"#, status: 400, code: "range",
      param: "temperature"),
    Case(
      body: #"{"model":"tiny","prompt":"a","top_p":0}"#, status: 400, code: "range",
      param: "top_p"),
    Case(
      body: #"{"model":"tiny","prompt":"a","stop":[""]}"#, status: 400, code: "range",
      param: "stop"),
    Case(body: #"{"model":"tiny","prompt":"a","n":0}"#, status: 400, code: "range", param: "n"),
    Case(
      body: #"{"model":"tiny","prompt":["a","b"],"n":100}"#, status: 400, code: "range",
      param: "prompt"),
    Case(
      body: #"{"model":"tiny","prompt":"a","best_of":2}"#, status: 400, code: "unsupported",
      param: "best_of"),
    Case(
      body: #"{"model":"tiny","prompt":"a","echo":true}"#, status: 400, code: "unsupported",
      param: "echo"),
    Case(
      body: #"{"model":"tiny","prompt":"a","suffix":"b"}"#, status: 400, code: "unsupported",
      param: "suffix"),
    Case(
      body: #"{"model":"tiny","prompt":"a","logprobs":21}"#, status: 400, code: "range",
      param: "logprobs"),
    Case(
      body: #"{"model":"tiny","prompt":"a","logit_bias":{"x":1}}"#, status: 400,
      code: "wrong_type", param: "logit_bias"),
    Case(
      body: #"{"model":"tiny","prompt":"a","presence_penalty":101}"#, status: 400, code: "range",
      param: "presence_penalty"),
    Case(
      body: #"{"model":"tiny","prompt":"a","objective":"fun"}"#, status: 400,
      code: "unknown_value", param: "objective"),
    Case(
      body: #"{"model":"huge","prompt":"a","stream":true}"#, status: 404, code: "model_not_found",
      param: "model"),
    Case(
      body: #"{"model":"tiny","prompt":""# + String(repeating: "a", count: 1 << 20) + #""}"#,
      status: 413, code: "body_too_large"),
  ]

  @Test(arguments: cases)
  func `a wrong request is refused with its reason`(_ example: Case) async throws {
    let node = FakeNode()
    let answer = try await served(node) { address in
      try await raw(.POST, "/v1/completions", to: address, body: example.body)
    }
    #expect(answer.status == example.status)
    let error = try answer.error
    #expect(error["code"] as? String == example.code)
    #expect(error["param"] as? String == example.param)
    #expect((error["message"] as? String ?? "").isEmpty == false)
    #expect(node.requests.isEmpty)
  }

  static let failures: [(any Error & Sendable, Int, String)] = [
    (NodeError.unknownModel("x", known: []), 404, "model_not_found"),
    (NodeError.emptyPrompt, 400, "empty_prompt"),
    (NodeError.promptTooLong(tokens: 9, context: 8), 400, "context_length_exceeded"),
    (
      NodeError.answerTooLong(prompt: 5, answer: 9, context: 8), 400, "context_length_exceeded"
    ),
    (NodeError.noTools("tiny"), 400, "no_tools"),
    (NodeError.tokenOutOfRange(70, vocabulary: 64), 400, "token_out_of_range"),
    (
      NodeError.failed(.diskFull(PeerID(.repeated(1)), needed: 2, available: 1)), 503, "disk_full"
    ),
    (NodeError.failed(.peerLost(PeerID(.repeated(1)))), 503, "peer_lost"),
    (PlanError.noPeer(excluded: []), 503, "no_plan"),
    (PlanError.doesNotFit(needed: .gibibytes(2), available: []), 503, "no_plan"),
    (JobFailure.numericRange(layer: 3), 500, "numeric_range"),
  ]

  @Test(arguments: failures.indices)
  func `what the node could not do has its status`(_ index: Int) async throws {
    let (failure, status, code) = Self.failures[index]
    let answer = try await served(FakeNode(.fails(failure))) { address in
      try await raw(
        .POST, "/v1/completions", to: address, body: #"{"model":"tiny","prompt":"a"}"#)
    }
    #expect(answer.status == status)
    #expect(try answer.error["code"] as? String == code)
  }

  @Test func `a path that is not there is an error in the same shape`() async throws {
    let answer = try await served(FakeNode()) { try await raw(.GET, "/nowhere", to: $0) }
    #expect(answer.status == 404)
    #expect(try answer.error["code"] as? String == "no_route")
  }

  @Test func `a key is demanded where one is set, but not to see that the peer runs`() async throws
  {
    let statuses = try await served(FakeNode(), key: "secret") { address in
      var statuses: [Int] = []
      for value in [nil, "Bearer wrong!", "Bearer secre", "Basic secret", "Bearer secret"] {
        let headers: HTTPHeaders = value.map { ["Authorization": $0] } ?? [:]
        statuses.append(
          try await raw(.GET, "/api/peers", to: address, headers: headers).status)
      }
      statuses.append(try await raw(.GET, "/health", to: address).status)
      statuses.append(try await raw(.GET, "/ready", to: address).status)
      statuses.append(try await raw(.GET, "/openapi.json", to: address).status)
      return statuses
    }
    #expect(statuses == [401, 401, 401, 401, 200, 200, 200, 200])
  }

  @Test func `an address that others reach is refused without a key`() throws {
    let open = try #require(Endpoint("0.0.0.0:0"))
    #expect(throws: GatewayError.keyRequired(open)) {
      _ = try Gateway(node: FakeNode(), clock: StepClock(), address: open)
    }
    _ = try Gateway(node: FakeNode(), clock: StepClock(), address: open, key: "secret")
  }

  @Test(
    arguments: [
      (["Origin": "https://example.org"], 403),
      (["Host": "example.org:80"], 403),
      (["Host": "example.org:80", "Origin": "http://example.org:80"], 403),
      (["Host": "localhost:80", "Origin": "http://localhost:80"], 200),
      (["Host": "[::1]:80"], 200),
      (["Host": "127.0.0.1"], 200),
    ] as [([String: String], Int)])
  func `a page of another site reaches nothing`(
    _ headers: [String: String], _ status: Int
  ) async throws {
    let node = FakeNode()
    let answer = try await served(node) { address in
      try await raw(
        .POST, "/api/leave", to: address, headers: HTTPHeaders(headers.map { ($0, $1) }))
    }
    #expect(answer.status == status)
    #expect(node.hasLeft == (status == 200))
  }

  @Test func `an address in use is named`() async throws {
    await #expect(throws: GatewayError.self) {
      try await served(FakeNode()) { address in
        try await Gateway(node: FakeNode(), clock: StepClock(), address: address).run()
      }
    }
    try await served(FakeNode()) { address in
      await #expect(throws: GatewayError.addressInUse(address)) {
        try await Gateway(node: FakeNode(), clock: StepClock(), address: address).run()
      }
    }
  }
}
