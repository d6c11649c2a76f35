// The JSON reader: what it takes, what it refuses and where, and what damage does to it.

import ShoalInference
import Testing

@Suite struct JSONTests {
  static func parse(_ text: String, _ limits: JSONLimits = JSONLimits()) throws -> JSONNode {
    JSONNode(try JSONValue(parsing: Array(text.utf8), limits: limits), name: "file")
  }

  @Test func `members keep their order, strings their scalars, numbers their kind`() throws {
    let node = try Self.parse(
      #" {"z":1, "a":[-2.5e1, true, null, "\u00e9\n\ud83d\ude80/\/"], "e\u0301":{}, "\u00e9":[]} "#)
    #expect(
      try node.members().map(\.key).map { Array($0.unicodeScalars.map(\.value)) } == [
        [0x7a], [0x61], [0x65, 0x301], [0xe9],
      ])
    #expect(try node.require("z").integer() == 1)
    let elements = try node.require("a").elements()
    #expect(try elements[0].double() == -25)
    #expect(try elements[0].integer() == -25)
    #expect(try elements[1].bool())
    #expect(try elements[3].string() == "é\n🚀//")
    #expect(node["nothing"] == nil)
    #expect(try Self.parse("9223372036854775807").integer() == .max)
    #expect(try Self.parse("9223372036854775808").double() == 0x1p63)
  }

  @Test(arguments: [
    ("", JSONError.truncated(offset: 0)),
    ("[1,]", .unexpected(byte: 93, wanted: "a value", offset: 3)),
    ("[1 2]", .unexpected(byte: 50, wanted: "a comma or ]", offset: 3)),
    ("{1:2}", .unexpected(byte: 49, wanted: "a key", offset: 1)),
    (#"{"a" 1}"#, .unexpected(byte: 49, wanted: "a colon", offset: 5)),
    (#"{"a":1,"a":2}"#, .duplicate(key: "a", offset: 7)),
    ("01", .number(offset: 0)),
    ("-", .number(offset: 0)),
    ("1.e5", .number(offset: 0)),
    ("1e999", .number(offset: 0)),
    ("NaN", .unexpected(byte: 78, wanted: "a value", offset: 0)),
    ("1 1", .trailing(offset: 2)),
    ("\"a\nb\"", .control(byte: 10, offset: 2)),
    (#""\x""#, .escape(offset: 1)),
    (#""\ud800""#, .escape(offset: 1)),
    (#""\ud800\u0041""#, .escape(offset: 1)),
    (#""\u12"#, .truncated(offset: 5)),
    ("\"abc", .truncated(offset: 4)),
    (String(repeating: "[", count: 65), .tooDeep(limit: 64, offset: 64)),
  ])
  func `what is no JSON is refused at its byte`(_ text: String, _ expected: JSONError) {
    #expect(throws: expected) { try Self.parse(text) }
  }

  @Test func `bytes that are no UTF-8, too many and too many values are refused`() {
    #expect(throws: JSONError.notUTF8(offset: 1)) {
      try JSONValue(parsing: [0x5b, 0x22, 0xff, 0x22, 0x5d])
    }
    var limits = JSONLimits()
    limits.bytes = 8
    limits.values = 3
    #expect(throws: JSONError.tooLarge(limit: 8, bytes: 9)) { try Self.parse("123456789", limits) }
    #expect(throws: JSONError.tooManyValues(limit: 3, offset: 5)) {
      try Self.parse("[1,2,3]", limits)
    }
  }

  @Test func `python's names are numbers only where that was asked for`() throws {
    var limits = JSONLimits()
    limits.acceptsPythonNumbers = true
    let elements = try Self.parse("[0.0, Infinity, -Infinity, NaN]", limits).elements()
    #expect(try elements[1].double() == .infinity)
    #expect(try elements[2].double() == -.infinity)
    #expect(try elements[3].double().isNaN)
  }

  @Test func `a refusal of a shape names the key`() throws {
    let node = try Self.parse(#"{"model":{"sizes":[1,"x",70000]}}"#)
    let sizes = try node.require("model").require("sizes").elements()
    #expect(
      throws: JSONError.type(
        path: "file.model.sizes[1]", wanted: "an integer", found: "a string")
    ) { try sizes[1].integer() }
    #expect(
      throws: JSONError.value(path: "file.model.sizes[2]", wanted: "1...65536", found: "70000")
    ) { try sizes[2].integer(in: 1...65_536) }
    #expect(throws: JSONError.missing(path: "file.model.vocab")) {
      try node.require("model").require("vocab")
    }
  }

  @Test func `damaged documents are read or refused`() throws {
    var random = SeededGenerator(state: 11)
    let sound = Array(
      #"{"a":[1,2.5,"x\u00e9\ud83d\ude80",{"b":null,"c":[true,false]}],"d":-1e3}"#.utf8)
    let digits = Array(#"[]{}",:\ud8e+-.01"#.utf8)
    var refused = 0
    for _ in 0..<20_000 {
      var bytes = sound
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        let at = Int.random(in: 0..<bytes.count, using: &random)
        switch Int.random(in: 0..<4, using: &random) {
        case 0: bytes[at] = UInt8.random(in: 0...255, using: &random)
        case 1: bytes[at] = digits.randomElement(using: &random) ?? 0
        case 2: bytes.remove(at: at)
        case _: bytes.insert(contentsOf: bytes[at...].prefix(9), at: at)
        }
      }
      do { _ = try JSONValue(parsing: bytes) } catch { refused += 1 }
    }
    #expect((1..<20_000).contains(refused))
  }
}
