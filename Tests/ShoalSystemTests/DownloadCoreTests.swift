// What a download decides: exact effects for exact events.

import Foundation
import ShoalProtocol
import ShoalSystem
import Testing

private let url = "https://hub.example/org/repo/resolve/main/model.gguf"
private let hash = Bytes32(hex: String(repeating: "ab", count: 32)) ?? .zero

private func core(
  size: UInt64? = nil, hash: Bytes32? = nil, token: String? = nil, offset: UInt64 = 0,
  tag: String? = nil, piece: UInt64 = 100
) throws -> DownloadCore {
  var rules = DownloadRules()
  rules.pieceBytes = piece
  rules.attempts = 3
  return DownloadCore(
    DownloadOrder(
      url: try #require(URL(string: url)), byteCount: size, sha256: hash, token: token,
      tokenOrigin: URL(string: "https://hub.example")),
    rules: rules, offset: offset, tag: tag)
}

private func ask(
  _ range: String, _ more: [String: String] = [:], at address: String = url
) throws -> DownloadCore.Effect {
  let headers = ["Range": "bytes=\(range)", "Accept-Encoding": "identity"]
  return .ask(
    HTTPRequest(
      url: try #require(URL(string: address)), headers: headers.merging(more) { $1 }))
}

private func part(_ range: String, tag: String? = nil) -> DownloadCore.Event {
  var headers = ["Content-Range": "bytes \(range)"]
  headers["ETag"] = tag
  return .head(HTTPHead(status: 206, headers: headers))
}

private func status(_ status: Int, _ headers: [String: String] = [:]) -> DownloadCore.Event {
  .head(HTTPHead(status: status, headers: headers))
}

@Suite struct DownloadCoreTests {
  @Test func `a file comes in pieces and ends when its bytes are there`() throws {
    var core = try core()
    #expect(core.handle(.start) == [try ask("0-99")])
    #expect(
      core.handle(part("0-99/150", tag: "\"a\"")) == [.remember(tag: "\"a\""), .accept])
    #expect(core.handle(.bytes(100)) == [])
    #expect(core.handle(.end) == [try ask("100-149", ["If-Range": "\"a\""])])
    #expect(core.handle(part("100-149/150", tag: "\"a\"")) == [.accept])
    #expect(core.handle(.bytes(50)) == [])
    #expect(core.handle(.end) == [.finish])
  }

  @Test func `a file beyond its limit is refused by what a server states, or by what it sends`()
    throws
  {
    var rules = DownloadRules()
    rules.byteLimit = 100
    let order = DownloadOrder(
      url: try #require(URL(string: url)), byteCount: nil, sha256: nil, token: nil,
      tokenOrigin: nil)
    let refusal = DownloadCore.Effect.fail(.tooLarge(limit: 100, found: 101, url: url))
    var stated = DownloadCore(order, rules: rules, offset: 0, tag: nil)
    _ = stated.handle(.start)
    #expect(stated.handle(status(200, ["Content-Length": "101"])) == [refusal])
    // A server that does not say how much it sends.
    var sent = DownloadCore(order, rules: rules, offset: 0, tag: nil)
    _ = sent.handle(.start)
    #expect(sent.handle(status(200)) == [.accept])
    #expect(sent.handle(.bytes(100)) == [])
    #expect(sent.handle(.bytes(1)) == [refusal])
  }

  @Test func `a broken connection costs what it had not brought, after a growing wait`() throws {
    var core = try core(size: 150)
    _ = core.handle(.start)
    _ = core.handle(part("0-99/150", tag: "\"a\""))
    _ = core.handle(.bytes(30))
    #expect(core.handle(.broken("reset")) == [.wait(.milliseconds(500), because: "reset")])
    #expect(core.handle(.waited) == [try ask("30-129", ["If-Range": "\"a\""])])
    #expect(core.handle(.broken("reset")) == [.wait(.seconds(1), because: "reset")])
    #expect(core.handle(.broken("reset")) == [.wait(.seconds(2), because: "reset")])
    #expect(
      core.handle(.broken("reset"))
        == [.fail(.gaveUp(attempts: 3, last: "reset", url: url))])
  }

  @Test func `bytes of an earlier attempt count with a tag or a checksum, else they do not`()
    throws
  {
    var tagged = try core(offset: 40, tag: "\"a\"")
    #expect(tagged.handle(.start) == [try ask("40-139", ["If-Range": "\"a\""])])
    var hashed = try core(hash: hash, offset: 40)
    #expect(hashed.handle(.start) == [try ask("40-139")])
    var unknown = try core(offset: 40)
    #expect(unknown.handle(.start) == [.restart, try ask("0-99")])
    var longer = try core(size: 30, offset: 40, tag: "\"a\"")
    #expect(longer.handle(.start) == [.restart, try ask("0-29")])
    var whole = try core(size: 40, hash: hash, offset: 40)
    #expect(whole.handle(.start) == [.hash])
  }

  @Test func `a server that sends the whole file starts it anew`() throws {
    var core = try core(offset: 40, tag: "\"a\"")
    _ = core.handle(.start)
    #expect(
      core.handle(status(200, ["Content-Length": "90", "ETag": "\"b\""]))
        == [.restart, .remember(tag: "\"b\""), .accept])
    #expect(core.handle(.bytes(90)) == [])
    #expect(core.handle(.end) == [.finish])
  }

  @Test func `another file behind the same address starts it anew`() throws {
    var core = try core(offset: 40, tag: "\"a\"")
    _ = core.handle(.start)
    #expect(
      core.handle(part("40-89/90", tag: "\"b\""))
        == [.restart, .wait(.milliseconds(500), because: "the file has changed")])
    #expect(core.handle(.waited) == [try ask("0-89")])
  }

  @Test func `a wrong checksum gets one more attempt from the start`() throws {
    var core = try core(size: 10, hash: hash)
    for isLast in [false, true] {
      _ = isLast ? [] : core.handle(.start)
      _ = core.handle(part("0-9/10"))
      _ = core.handle(.bytes(10))
      #expect(core.handle(.end) == [.hash])
      #expect(
        core.handle(.hashed(.zero))
          == (isLast
            ? [.fail(.checksum(expected: hash, found: .zero, url: url))]
            : [.restart, try ask("0-9")]))
    }
  }

  @Test func `sizes that contradict each other end it`() throws {
    var stated = try core(size: 10)
    _ = stated.handle(.start)
    #expect(
      stated.handle(part("0-9/11")) == [.fail(.size(expected: 10, found: 11, url: url))])
    var sent = try core(size: 10)
    _ = sent.handle(.start)
    _ = sent.handle(part("0-9/10"))
    #expect(sent.handle(.bytes(11)) == [.fail(.size(expected: 10, found: 11, url: url))])
  }

  @Test func `an empty file is whole`() throws {
    var core = try core()
    _ = core.handle(.start)
    #expect(core.handle(status(416, ["Content-Range": "bytes */0"])) == [.finish])
  }

  @Test func `a busy server is left alone for as long as it asks, within bounds`() throws {
    var core = try core()
    _ = core.handle(.start)
    #expect(
      core.handle(status(429, ["Retry-After": "7"]))
        == [.wait(.seconds(7), because: "status 429")])
    #expect(
      core.handle(status(503, ["Retry-After": "90000"]))
        == [.wait(.seconds(300), because: "status 503")])
    #expect(core.handle(status(503)) == [.wait(.seconds(2), because: "status 503")])
  }

  @Test func `the token goes to the hub, and no further`() throws {
    var core = try core(token: "secret")
    let authorised = ["Authorization": "Bearer secret"]
    #expect(core.handle(.start) == [try ask("0-99", authorised)])
    #expect(
      core.handle(status(307, ["Location": "/elsewhere"]))
        == [try ask("0-99", authorised, at: "https://hub.example/elsewhere")])
    for place in [
      "https://cdn.example/x", "https://hub.example:8443/x", "https://hub.example.evil/x",
    ] {
      var other = core
      #expect(
        other.handle(status(302, ["Location": place])) == [try ask("0-99", at: place)])
    }
    #expect(
      core.handle(status(302, ["Location": "http://hub.example/x"]))
        == [.fail(.badAddress("http://hub.example/x"))])
  }

  @Test func `what the hub says of a file that lies elsewhere is held`() throws {
    var core = try core()
    _ = core.handle(.start)
    #expect(
      core.handle(
        status(
          302,
          [
            "Location": "https://cdn.example/x", "X-Linked-Size": "10",
            "X-Linked-ETag": "\"\(hash.hex)\"",
          ])) == [try ask("0-9", at: "https://cdn.example/x")])
    #expect(
      core.handle(part("0-8/9")) == [.fail(.size(expected: 10, found: 9, url: url))])
    var whole = core
    _ = whole.handle(part("0-9/10"))
    _ = whole.handle(.bytes(10))
    #expect(whole.handle(.end) == [.hash])
  }

  @Test func `redirects end, and a refusal says whether a token was sent`() throws {
    var turning = try core()
    _ = turning.handle(.start)
    for _ in 0..<5 { _ = turning.handle(status(302, ["Location": "/x"])) }
    #expect(
      turning.handle(status(302, ["Location": "/x"])) == [.fail(.tooManyRedirects(5, url: url))])
    for token in [nil, "secret"] {
      var gated = try core(token: token)
      _ = gated.handle(.start)
      #expect(
        gated.handle(status(401))
          == [.fail(.refused(401, url: url, hadToken: token != nil))])
    }
    var missing = try core()
    _ = missing.handle(.start)
    #expect(missing.handle(status(404)) == [.fail(.status(404, url: url))])
  }

  @Test func `a server that answers with nothing is not asked for ever`() throws {
    var core = try core(size: 10)
    var last = core.handle(.start)
    for _ in 0..<20 {
      guard case .ask? = last.last else { break }
      _ = core.handle(part("0-9/10"))
      last = core.handle(.end)
      if case .wait? = last.last { last = core.handle(.waited) }
    }
    #expect(last == [.fail(.gaveUp(attempts: 3, last: "an answer without bytes", url: url))])
  }
}

extension DownloadCoreTests {
  @Test func `a server that always breaks before the end is not asked for ever`() throws {
    var core = try core()
    var last = core.handle(.start)
    for _ in 0..<20 {
      guard case .ask? = last.last else { break }
      _ = core.handle(status(200, ["Content-Length": "90"]))
      _ = core.handle(.bytes(80))
      last = core.handle(.broken("reset"))
      if case .wait? = last.last { last = core.handle(.waited) }
    }
    #expect(last == [.fail(.gaveUp(attempts: 3, last: "reset", url: url))])
  }
}

@Suite struct PullReferenceTests {
  @Test func `references are read`() throws {
    let repository = try #require(HubRepository(owner: "org", name: "repo", revision: "main"))
    let pinned = try #require(HubRepository(owner: "org", name: "repo", revision: "v1"))
    #expect(PullReference("hf:org/repo") == .hub(repository, file: nil))
    #expect(PullReference("hf:org/repo@v1/a/b.gguf") == .hub(pinned, file: "a/b.gguf"))
    let url = try #require(URL(string: "https://x.example/a/b.gguf"))
    #expect(PullReference("https://x.example/a/b.gguf") == .url(url))
  }

  @Test(arguments: [
    "", "hf:", "hf:org", "hf:org/", "hf:../repo", "hf:org/repo/../x", "hf:org/repo//x", "model",
    "file:///etc/passwd", "https://x.example/", "ftp://x.example/a",
  ])
  func `what leads elsewhere or says nothing is no reference`(_ text: String) {
    #expect(PullReference(text) == nil)
  }

  @Test func `a listing gives safetensors with what belongs to them, or the one GGUF file`() throws
  {
    let file = { (name: String) in HubFile(name: name, byteCount: 1, sha256: nil) }
    let listing = { (names: [String]) in HubListing(commit: "c", files: names.map(file)) }
    let directory = listing([
      "README.md", "config.json", "model.safetensors", "tokenizer.json", "pytorch_model.bin",
      "onnx/model.onnx", "model-q4.gguf",
    ])
    #expect(
      try directory.selection(nil, repository: "r").map(\.name)
        == ["config.json", "tokenizer.json", "model.safetensors"])
    #expect(
      try directory.selection("model-q4.gguf", repository: "r").map(\.name) == ["model-q4.gguf"])
    #expect(try listing(["a.gguf"]).selection(nil, repository: "r").map(\.name) == ["a.gguf"])
    #expect(throws: HubError.ambiguous(["a.gguf", "b.gguf"], repository: "r")) {
      try listing(["b.gguf", "a.gguf"]).selection(nil, repository: "r")
    }
    #expect(throws: HubError.noWeights(repository: "r")) {
      try listing(["pytorch_model.bin"]).selection(nil, repository: "r")
    }
    #expect(throws: HubError.noFile("c.gguf", repository: "r")) {
      try listing(["b.gguf"]).selection("c.gguf", repository: "r")
    }
    #expect(throws: HubError.splitFile("a-00001-of-00002.gguf")) {
      try listing(["a-00001-of-00002.gguf"]).selection(nil, repository: "r")
    }
  }
}
