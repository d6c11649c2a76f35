// That a file which was imported is not read again, and one that has changed is.

import Foundation
import ShoalInference
import ShoalLedger
import ShoalNode
import ShoalPeer
import ShoalProtocol
import ShoalSecurity
import ShoalSystem
import Testing

@Suite struct ImportedFilesTests {
  private static let model = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "testnet/demo-model/shoal-stories-q8_0.gguf")

  private struct Outcome: Equatable {
    let model: ModelID
    let wasRead: Bool
  }

  /// What naming `path` gives, and whether the file was read for it.
  private func resolve(_ path: String, in store: LocalStore) throws -> Outcome {
    var wasRead = false
    let entry = try store.resolve(path) { _, _ in wasRead = true }
    return Outcome(model: entry.model, wasRead: wasRead)
  }

  @Test func `a file is read once, and again when it was touched or an atom is lost`() throws {
    let directory = FileManager.default.temporaryDirectory.appending(path: "shoal-\(UUID())")
    defer { try? FileManager.default.removeItem(at: directory) }
    let store = try LocalStore(directory)
    let file = directory.appending(path: "stories.gguf")
    try FileManager.default.copyItem(at: Self.model, to: file)

    let read = try resolve(file.path, in: store)
    #expect(read.wasRead)
    let known = Outcome(model: read.model, wasRead: false)
    #expect(try resolve(file.path, in: store) == known)

    // Another name of the same file, and another store.
    let linked = directory.appending(path: "other.gguf")
    try FileManager.default.createSymbolicLink(at: linked, withDestinationURL: file)
    #expect(try resolve(linked.path, in: store) == known)
    #expect(try store.registry().entry(of: "other", by: store.identity.id)?.model == read.model)

    try FileManager.default.setAttributes(
      [.modificationDate: Date(timeIntervalSince1970: 1)], ofItemAtPath: file.path)
    #expect(try resolve(file.path, in: store) == read)

    let atom = try #require(try store.library.manifest(read.model).atoms.last)
    try store.blobs.remove(atom.blob)
    #expect(try resolve(file.path, in: store) == read)
    #expect(store.blobs.contains(atom.blob))

    try store.documents.write("imported", Array("{".utf8), isSecret: false)
    #expect(try resolve(file.path, in: store) == read)
  }
}
