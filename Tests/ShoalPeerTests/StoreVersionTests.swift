// What becomes of data directories of older and of newer versions.
// Fixtures/store-1 was written by the last program of version 1: its peer named falcon-query
// `older`, another model `tiny`, and then falcon-query `tiny`; the registry also has an entry of
// another peer, called `elsewhere`.

import Foundation
import ShoalInference
import ShoalLedger
import ShoalNode
import ShoalPeer
import ShoalProtocol
import ShoalSecurity
import ShoalSystem
import Testing

@Suite struct StoreVersionTests {
  private static let fixture = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "Fixtures/store-1")

  /// A copy that may be changed, gone after `body`.
  private func withCopy(_ body: (URL) throws -> Void) throws {
    let copy = FileManager.default.temporaryDirectory.appending(path: "shoal-\(UUID())")
    try FileManager.default.copyItem(at: Self.fixture, to: copy)
    defer { try? FileManager.default.removeItem(at: copy) }
    try body(copy)
  }

  private func text(_ name: String, in directory: URL) throws -> String {
    try String(contentsOf: directory.appending(path: name), encoding: .utf8)
  }

  @Test("names of a store of version 1 are carried over once, and their models open")
  func migrates() throws {
    try withCopy { directory in
      let store = try LocalStore(directory)
      #expect(store.migration?.names == 2)
      #expect(try store.registry().models.map(\.name) == ["older", "tiny"])
      #expect(try text("version", in: directory) == "2\n")
      let entry = try store.resolve("tiny")
      #expect(entry.publisher == store.identity.id)
      #expect(entry.model.short == "6011adf2")
      let manifest = try store.library.manifest(entry.model)
      #expect(manifest.atoms.allSatisfy { store.blobs.contains($0.blob) })
      _ = try store.library.tokenizer(manifest)
      // What was there is not thrown away, and nothing is done twice.
      #expect(FileManager.default.fileExists(atPath: directory.appending(path: "registry.1").path))
      let logs = try Data(contentsOf: directory.appending(path: "ledger-logs"))
      #expect(try LocalStore(directory).migration == nil)
      #expect(try Data(contentsOf: directory.appending(path: "ledger-logs")) == logs)
    }
  }

  @Test("copies of one store say the same on two machines, so that their logs do not fork")
  func deterministic() throws {
    try withCopy { one in
      try withCopy { other in
        let entries = try [one, other].map { try LocalStore($0).registry().book }
        #expect(entries[0].digest == entries[1].digest)
      }
    }
  }

  @Test("a migration that was interrupted begins anew, and what the log says stays")
  func resumes() throws {
    try withCopy { directory in
      let registry = directory.appending(path: "registry")
      let former = try Data(contentsOf: registry)
      let store = try LocalStore(directory)
      _ = try store.registryLog().retire(name: "older", now: 1)
      // As if the power had gone before the old document did.
      try former.write(to: registry)
      try FileManager.default.removeItem(at: directory.appending(path: "version"))
      let again = try LocalStore(directory)
      #expect(again.migration?.names == 0)
      #expect(try again.registry().models.map(\.name) == ["tiny"])
    }
  }

  @Test(
    "a registry that cannot be read is refused by name, and stays as it is",
    arguments: [1, 40, 300])
  func damaged(_ count: Int) throws {
    try withCopy { directory in
      let registry = directory.appending(path: "registry")
      let bytes = try Data(contentsOf: registry).prefix(count)
      try bytes.write(to: registry)
      let error = #expect(throws: PeerError.self) { try LocalStore(directory) }
      guard case .damagedDocument(registry.path, .truncated)? = error else {
        Issue.record("\(String(describing: error))")
        return
      }
      #expect(try Data(contentsOf: registry) == bytes)
    }
  }

  @Test("a forged entry is not carried over") func forged() throws {
    try withCopy { directory in
      let registry = directory.appending(path: "registry")
      var bytes = try Data(contentsOf: registry)
      // The last byte of the first entry's signature.
      bytes[0xA1] ^= 1
      try bytes.write(to: registry)
      #expect(try LocalStore(directory).registry().models.map(\.name) == ["tiny"])
    }
  }

  @Test("a store of a later version is refused before anything is changed") func newer() throws {
    let directory = FileManager.default.temporaryDirectory.appending(path: "shoal-\(UUID())")
    defer { try? FileManager.default.removeItem(at: directory) }
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    let version = directory.appending(path: "version")
    try Data("3\n".utf8).write(to: version)
    let error = #expect(throws: PeerError.self) { try LocalStore(directory) }
    #expect(error == .newerStore(path: directory.path, version: 3, known: 2))
    #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path) == ["version"])
    for text in ["", "two", "0", "-1"] {
      try Data(text.utf8).write(to: version)
      let error = #expect(throws: PeerError.self) { try LocalStore(directory) }
      #expect(error == .damagedDocument(path: version.path, .invalid(field: "version")))
    }
    try FileManager.default.removeItem(at: version)
    #expect(try LocalStore(directory).migration == nil)
    #expect(try text("version", in: directory) == "2\n")
  }
}
