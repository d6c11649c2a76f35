// Chat templates against what Jinja2 3.1 makes of them, set up as the Hugging Face hub's library
// sets it up (`trim_blocks`, `lstrip_blocks`, loop controls, its own `tojson`). The templates are
// ours; Tests/Fixtures/templates/cases.json holds Jinja's text, or its error.

import Foundation
import ShoalInference
import Testing

struct ChatTemplateTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let node: JSONNode
    let testDescription: String

    /// Nil where Jinja refuses.
    var expected: String? { node["expected"].flatMap { try? $0.string() } }

    func rendered() throws -> String {
      let template = try ChatTemplate(try node.require("template").string())
      var context = ChatTemplate.Context(
        now: TemplateDate(unixSeconds: Int64(try node.require("now").integer())))
      context.beginning = try node.require("bos").string()
      context.end = try node.require("eos").string()
      context.addsGenerationPrompt = try node.require("addGenerationPrompt").bool()
      context.others = try node.require("others").object().members.map { ($0.key, $0.value) }
      return try template.render(try node.require("messages").elements().map(\.value), context)
    }
  }

  static let cases: [Case] = {
    let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "Fixtures/templates/cases.json")
    guard let data = try? Data(contentsOf: file), let value = try? JSONValue(parsing: Array(data)),
      let nodes = try? JSONNode(value, name: "cases.json").elements()
    else { return [] }
    return nodes.map { node in
      Case(node: node, testDescription: (try? node.require("name").string()) ?? node.path)
    }
  }()

  @Test func `there are cases`() { #expect(Self.cases.count >= 25) }

  @Test(arguments: cases)
  func `a template gives the text that Jinja gives, or refuses where it does`(_ one: Case) throws {
    if let expected = one.expected {
      #expect(Array(try one.rendered().utf8) == Array(expected.utf8))
    } else {
      #expect(throws: TemplateError.self) { try one.rendered() }
    }
  }

  @Test(arguments: [
    ("a\n{% extends 'x' %}", TemplateError.unsupported(line: 2, construct: "{% extends %}")),
    ("\n\n{{ x | urlize }}", .unsupported(line: 3, construct: "the filter urlize")),
    ("{{ f(*x) }}", .unsupported(line: 1, construct: "* in a call")),
    (
      "{% for a in b recursive %}{% endfor %}",
      .unsupported(line: 1, construct: "a recursive loop")
    ),
  ])
  func `what is outside the subset is named with its line`(_ source: String, _ error: TemplateError)
  {
    #expect(throws: error) {
      _ = try ChatTemplate(source).render([], .init(now: TemplateDate(unixSeconds: 0)))
    }
  }

  @Test(arguments: [
    "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
    "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "{{ 'aaaaaaaa' * 99999999999 }}",
    "{{ 'x'.join(range(99999)) * 999 }}",
    "{% set n = namespace(s='ab') %}{% for a in range(99) %}{% set n.s = n.s ~ n.s %}{% endfor %}",
  ])
  func `a template cannot take all time or memory`(_ source: String) {
    #expect(throws: TemplateError.self) {
      _ = try ChatTemplate(source).render([], .init(now: TemplateDate(unixSeconds: 0)))
    }
  }

  @Test func `no damaged template traps`() throws {
    var generator = SplitMix(state: 7)
    for one in Self.cases {
      let source = Array(try one.node.require("template").string().unicodeScalars)
      for _ in 0..<60 {
        var damaged = source
        for _ in 0..<Int.random(in: 1...4, using: &generator) where !damaged.isEmpty {
          let place = Int.random(in: damaged.indices, using: &generator)
          let other = Int.random(in: damaged.indices, using: &generator)
          switch Int.random(in: 0..<3, using: &generator) {
          case 0: damaged.remove(at: place)
          case 1: damaged.swapAt(place, other)
          case _: damaged.insert(damaged[other], at: place)
          }
        }
        var text = String.UnicodeScalarView()
        text.append(contentsOf: damaged)
        // Either a text or a typed error: anything else ends the test run.
        _ = try? ChatTemplate(String(text)).render(
          [], .init(now: TemplateDate(unixSeconds: 1_700_000_000)))
      }
    }
  }
}

/// Vigna's SplitMix64.
private struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }
}
