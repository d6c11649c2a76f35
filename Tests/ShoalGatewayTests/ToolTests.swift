// Tools in a chat: what the template hears of them, and calls found in answers of several families.

import Foundation
import NIOHTTP1
import ShoalGateway
import ShoalInference
import ShoalNode
import Testing

struct ToolTests {
  private static let tools =
    #""tools":[{"type":"function","function":{"name":"sum","#
    + #""parameters":{"type":"object","properties":{"z":{},"a":{}}}}}]"#

  private static func body(_ rest: String = "") -> String {
    #"{"model":"tiny","messages":[{"role":"user","content":"a"}],"# + tools + rest + "}"
  }

  struct Answer: Sendable, CustomTestStringConvertible {
    let pieces: [String]
    var content: String?
    let calls: [String]
    var testDescription: String { pieces.joined() }
  }

  static let answers = [
    Answer(
      pieces: [
        "I add.\n<tool", "_call>\n{\"name\": \"sum\", \"arguments\": {\"z\": 1, ",
        "\"a\": 2}}\n</tool_call>",
      ],
      content: "I add.\n", calls: [#"{"z":1,"a":2}"#]),
    Answer(
      pieces: [
        #"<tool_call>{"name":"sum","arguments":{}}</tool_call>"#,
        "\n<tool_call>{\"name\":\"sum\",\"arguments\":{\"z\":\"}\"}}</tool_call>",
      ], calls: ["{}", #"{"z":"}"}"#]),
    Answer(
      pieces: [
        #"[TOOL_CALLS] [{"name":"sum","arguments":{"a":1}},"#, #"{"name":"sum","arguments":{}}]"#,
      ],
      calls: [#"{"a":1}"#, "{}"]),
    Answer(pieces: [#" {"name": "sum", "#, #""parameters": {"a": [1]}}"#], calls: [#"{"a":[1]}"#]),
    Answer(pieces: [#"<function=sum>{"a":1}</function>"#], calls: [#"{"a":1}"#]),
    Answer(pieces: [#"{"name":"sum","arguments":"{\"a\":3}"}"#], calls: [#"{"a":3}"#]),
    Answer(
      pieces: [#"{"name":"other","arguments":{}}"#],
      content: #"{"name":"other","arguments":{}}"#, calls: []),
    Answer(pieces: [#"{"name":"sum","#], content: #"{"name":"sum","#, calls: []),
    Answer(pieces: ["2 <", "3 <t", "en"], content: "2 <3 <ten", calls: []),
    Answer(pieces: ["[see", " above]"], content: "[see above]", calls: []),
  ]

  @Test(arguments: answers)
  func `calls are found and text stays text, whole and streamed`(_ answer: Answer) async throws {
    let (whole, streamed) = try await served(FakeNode(.says(answer.pieces))) { address in
      (
        try await raw(.POST, "/v1/chat/completions", to: address, body: Self.body()),
        try await raw(
          .POST, "/v1/chat/completions", to: address, body: Self.body(#","stream":true"#))
      )
    }
    let choice = try #require((try whole.json()["choices"] as? [[String: Any]])?.first)
    let message = try #require(choice["message"] as? [String: Any])
    #expect(message["content"] as? String == answer.content)
    let reason = answer.calls.isEmpty ? "stop" : "tool_calls"
    #expect(choice["finish_reason"] as? String == reason)
    #expect(Self.arguments(of: [message]) == answer.calls)

    let events = streamed.body.components(separatedBy: "\n\n").dropLast(2)
    let choices = try events.compactMap { event in
      let json = try JSONSerialization.jsonObject(with: Data(event.dropFirst(6).utf8))
      return ((json as? [String: Any])?["choices"] as? [[String: Any]])?.first
    }
    let deltas = choices.compactMap { $0["delta"] as? [String: Any] }
    #expect(deltas.compactMap { $0["content"] as? String }.joined() == answer.content ?? "")
    #expect(Self.arguments(of: deltas) == answer.calls)
    #expect(choices.last?["finish_reason"] as? String == reason)
  }

  private static func arguments(of messages: [[String: Any]]) -> [String] {
    messages.flatMap { $0["tool_calls"] as? [[String: Any]] ?? [] }.compactMap { call in
      #expect((call["id"] as? String)?.count == 9)
      #expect((call["function"] as? [String: Any])?["name"] as? String == "sum")
      return (call["function"] as? [String: Any])?["arguments"] as? String
    }
  }

  @Test func `a tool's answer and the call before it reach the template as they were`() async throws
  {
    let node = FakeNode()
    let body = #"""
      {"model":"tiny","messages":[{"role":"user","content":"a"},{"role":"assistant","tool_calls":
      [{"id":"123456789","type":"function","function":{"name":"sum",
      "arguments":"{\"z\":1,\"a\":2}"}}]},
      {"role":"tool","tool_call_id":"123456789","content":"3"}],
      """# + Self.tools + "}"
    let answer = try await served(node) {
      try await raw(.POST, "/v1/chat/completions", to: $0, body: body)
    }
    #expect(answer.status == 200, "\(answer.body)")
    let asked = try #require(node.requests.first)
    guard case .chat(let turns) = asked.prompt else {
      Issue.record("no chat")
      return
    }
    #expect(
      turns[1].others["tool_calls"]?.text
        == #"[{"type":"function","function":{"name":"sum","arguments":{"z":1,"a":2}},"#
        + #""id":"123456789"}]"#)
    #expect(turns[2].others["tool_call_id"]?.text == #""123456789""#)
    // The order of a tool's members is the client's.
    #expect(asked.tools.first?.text.contains(#""properties":{"z":{},"a":{}}"#) == true)
  }

  @Test func `with the choice none the template hears of no tools`() async throws {
    let node = FakeNode()
    try await served(node) { address in
      _ = try await raw(
        .POST, "/v1/chat/completions", to: address, body: Self.body(#","tool_choice":"none""#))
    }
    #expect(node.requests.first?.tools.isEmpty == true)
  }
}
