// Downloads from a server that drops connections, lies and is busy.

import Foundation
import ShoalProtocol
import ShoalSecurity
import ShoalSystem
import Synchronization
import Testing

private let file = (0..<50_000).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
private var fileHash: Bytes32 {
  var stream = SHA256Stream()
  unsafe file.withUnsafeBytes { unsafe stream.update($0) }
  return stream.finish()
}

/// Waits of no length, and small pieces.
private var rules: DownloadRules {
  var rules = DownloadRules()
  rules.firstDelay = .zero
  rules.longestDelay = .zero
  rules.longestRetryAfter = .zero
  rules.attempts = 4
  rules.pieceBytes = 20_000
  return rules
}

@Suite(.timeLimit(.minutes(10))) struct DownloadTests {
  private let folder: TemporaryFolder
  private var path: String { folder.path + "/model.gguf" }
  private var part: String { path + ".part" }

  init() throws { folder = try TemporaryFolder() }

  private func download(
    _ server: ScriptedServer, size: UInt64? = nil, hash: Bytes32? = nil, token: String? = nil,
    rules: DownloadRules = rules, progress: @escaping FileDownload.Progress = { _ in }
  ) async throws {
    let path = path
    let url = try #require(URL(string: server.address + "/model.gguf"))
    let order = DownloadOrder(
      url: url, byteCount: size, sha256: hash, token: token, tokenOrigin: url)
    try await server.during {
      try await FileDownload.run(
        order, to: path, rules: rules, clock: SystemClock(), progress: progress)
    }
  }

  private var found: [UInt8]? { FileManager.default.contents(atPath: path).map { Array($0) } }
  private var leftovers: [String] {
    get throws { try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() }
  }

  @Test func `SHA-256 is that of the standard`() {
    var stream = SHA256Stream()
    unsafe Array("abc".utf8).withUnsafeBytes { unsafe stream.update($0) }
    #expect(
      stream.finish().hex
        == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
  }

  @Test func `a file comes in pieces, whole and under its name`() async throws {
    let server = try ScriptedServer { request, _ in .part(of: file, request) }
    try await download(server, hash: fileHash)
    #expect(found == file)
    #expect(try leftovers == ["model.gguf"])
    #expect(server.requests.map(\.start) == [0, 20_000, 40_000])
  }

  @Test func `connections that break are taken up where they broke`() async throws {
    let server = try ScriptedServer { request, number in
      .part(of: file, request, limit: number % 2 == 0 ? 7_000 : .max)
    }
    try await download(server, hash: fileHash)
    #expect(found == file)
    #expect(server.requests.contains { $0.start == 7_000 })
    #expect(server.requests.dropFirst().allSatisfy { $0.headers["if-range"] == "\"1\"" })
  }

  @Test func `an interrupted download goes on in the next attempt`() async throws {
    let broken = try ScriptedServer { request, number in
      number == 0 ? .part(of: file, request, limit: 9_000) : ServedAnswer(status: "500 No")
    }
    await #expect(throws: DownloadError.self) { try await download(broken) }
    #expect(found == nil)
    #expect(try leftovers == ["model.gguf.part", "model.gguf.part.etag"])
    let sound = try ScriptedServer { request, _ in .part(of: file, request) }
    try await download(sound)
    #expect(found == file)
    #expect(sound.requests.first?.start == 9_000)
    #expect(try leftovers == ["model.gguf"])
  }

  @Test func `a download that brought nothing leaves nothing`() async throws {
    let server = try ScriptedServer { _, _ in ServedAnswer(status: "404 Not Found") }
    await #expect(throws: DownloadError.self) { try await download(server) }
    #expect(try leftovers == [])
  }

  @Test func `whoever waits for a download is told why`() async throws {
    let server = try ScriptedServer { request, number in
      number == 0 ? ServedAnswer(status: "503 Busy") : .part(of: file, request)
    }
    let news = Mutex<[DownloadNews]>([])
    try await download(server) { heard in news.withLock { $0.append(heard) } }
    let heard = news.withLock { $0 }
    #expect(heard.first == .waits(.zero, because: "status 503"))
    #expect(heard.last == .bytes(UInt64(file.count), of: UInt64(file.count)))
  }

  @Test func `the file of a URL is held to the checksum that was asked for`() async throws {
    let server = try ScriptedServer { request, _ in .part(of: file, request) }
    var pull = try #require(ModelPull(endpoint: ModelPull.publicHub, token: "secret"))
    pull.rules = rules
    pull.sha256 = Bytes32([UInt8](repeating: 7, count: 32))
    let (asked, into) = (pull, URL(filePath: folder.path))
    let reference = try #require(PullReference(server.address + "/model.gguf"))
    let error = await #expect(throws: DownloadError.self) {
      try await server.during {
        try await asked.run(reference, into: into, clock: SystemClock()) { _, _ in }
      }
    }
    guard case .checksum? = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(found == nil)
    #expect(server.requests.allSatisfy { $0.headers["authorization"] == nil })
  }

  @Test func `a server without ranges is taken at its word`() async throws {
    let server = try ScriptedServer { _, _ in .whole(file) }
    try await download(server, size: UInt64(file.count))
    #expect(found == file)
    #expect(server.requests.count == 1)
  }

  @Test func `a server that is busy is asked again`() async throws {
    let server = try ScriptedServer { request, number in
      switch number {
      case 0: ServedAnswer(status: "429 Busy", headers: [("Retry-After", "120")])
      case 1:
        ServedAnswer(status: "503 Busy", headers: [("Content-Length", "4")], body: [1, 2, 3, 4])
      case _: .part(of: file, request)
      }
    }
    try await download(server)
    #expect(found == file)
  }

  @Test func `a length that lies is refused, and nothing gets the name`() async throws {
    let server = try ScriptedServer { _, _ in .whole(file, length: file.count) }
    await #expect(throws: DownloadError.self) { try await download(server, size: 49_999) }
    #expect(found == nil)
    let short = try ScriptedServer { _, _ in .whole(file, length: file.count + 10) }
    await #expect(throws: DownloadError.self) { try await download(short) }
    #expect(found == nil)
  }

  @Test func `wrong bytes of the right length are refused by checksum`() async throws {
    let server = try ScriptedServer { request, _ in
      .part(of: [7] + file.dropFirst(), request)
    }
    let error = await #expect(throws: DownloadError.self) {
      try await download(server, hash: fileHash)
    }
    guard case .checksum(expected: fileHash, _, _)? = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(found == nil)
    #expect(server.requests.filter { $0.start == 0 }.count == 2)
  }

  @Test func `redirects are followed, and the token stays with the hub`() async throws {
    let elsewhere = try ScriptedServer { request, _ in .part(of: file, request) }
    let place = elsewhere.address + "/stored"
    let hub = try ScriptedServer { _, _ in
      ServedAnswer(status: "302 Found", headers: [("Location", place), ("Content-Length", "0")])
    }
    try await elsewhere.during {
      try await self.download(hub, hash: fileHash, token: "secret")
    }
    #expect(found == file)
    #expect(hub.requests.allSatisfy { $0.headers["authorization"] == "Bearer secret" })
    #expect(elsewhere.requests.count == 3)
    #expect(elsewhere.requests.allSatisfy { $0.headers["authorization"] == nil })
  }

  /// A repository with a model's small files and `file` as its weights.
  private static func hub(config: [UInt8], tokenizer: [UInt8]) throws -> ScriptedServer {
    let listing = """
      {"sha":"c0ffee","siblings":[
       {"rfilename":"README.md","size":3},
       {"rfilename":"config.json","size":\(config.count)},
       {"rfilename":"tokenizer.json","size":\(tokenizer.count)},
       {"rfilename":"../escape.json","size":2},
       {"rfilename":"model.safetensors","size":\(file.count),
        "lfs":{"sha256":"\(fileHash.hex)","size":\(file.count)}}]}
      """
    return try ScriptedServer { request, _ in
      switch request.path {
      case "/api/models/org/repo/revision/main?blobs=true": .whole(Array(listing.utf8))
      case "/org/repo/resolve/c0ffee/config.json": .part(of: config, request)
      case "/org/repo/resolve/c0ffee/tokenizer.json": .part(of: tokenizer, request)
      case "/org/repo/resolve/c0ffee/model.safetensors": .part(of: file, request)
      case _: ServedAnswer(status: "404 Not Found")
      }
    }
  }

  @Test func `a list of files beyond its size is refused before it is read`() async throws {
    let limit = Limits.hubListingBytes
    let hub = try ScriptedServer { _, _ in .whole([], length: limit + 1) }
    let error = await #expect(throws: DownloadError.self) { try await pull(from: hub) }
    guard case .tooLarge(let known, let found, _) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(known == UInt64(limit))
    #expect(found == UInt64(limit) + 1)
  }

  private func pull(from hub: ScriptedServer) async throws -> ModelPull.Outcome {
    var pull = try #require(ModelPull(endpoint: hub.address, token: nil))
    pull.rules = rules
    let (reference, asked) = (try #require(PullReference("hf:org/repo")), pull)
    let into = URL(filePath: folder.path)
    return try await hub.during {
      try await asked.run(reference, into: into, clock: SystemClock()) { _, _ in }
    }
  }

  /// A small file of a model that is understood.
  private static func fixture(_ name: String) throws -> [UInt8] {
    let folder = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../Fixtures/families").standardizedFileURL
    return Array(try Data(contentsOf: folder.appending(path: name)))
  }

  @Test func `a repository is pulled as a directory, at one commit`() async throws {
    let config = try Self.fixture("llama-yarn-scales/config.json")
    let tokenizer = try Self.fixture("tokenizer.json")
    let outcome = try await pull(from: Self.hub(config: config, tokenizer: tokenizer))
    #expect(outcome.name == "repo")
    let pulled = { (name: String) in
      FileManager.default.contents(atPath: "\(outcome.path)/\(name)").map { Array($0) }
    }
    #expect(pulled("config.json") == config)
    #expect(pulled("model.safetensors") == file)
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: outcome.path).sorted()
        == ["config.json", "model.safetensors", "tokenizer.json"])
  }

  @Test func `a model that is not understood is refused before its weights are asked for`()
    async throws
  {
    let config = try Self.fixture("llama-yarn-scales/config.json")
    let tokenizer = try Self.fixture("tokenizer.json")
    for (config, tokenizer) in [
      (Array(#"{"model_type":"unheard_of"}"#.utf8), tokenizer),
      (config, Array(#"{"model":{"type":"Unheard"}}"#.utf8)),
    ] {
      let hub = try Self.hub(config: config, tokenizer: tokenizer)
      await #expect(throws: (any Error).self) { _ = try await pull(from: hub) }
      #expect(hub.requests.contains { $0.path.hasSuffix("/config.json") })
      #expect(!hub.requests.contains { $0.path.hasSuffix(".safetensors") })
      // What came is not taken for that of another model.
      try FileManager.default.removeItem(atPath: folder.path + "/org--repo")
    }
  }
}
