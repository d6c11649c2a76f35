// Directories of model files: what lies in them is read, what a link leads out to is not.

import Foundation
import ShoalInference
import ShoalSystem
import Testing

@Suite struct ModelFolderTests {
  private func write(_ text: String, to path: String) throws {
    try FileManager.default.createDirectory(
      atPath: URL(filePath: path).deletingLastPathComponent().path,
      withIntermediateDirectories: true)
    try Data(text.utf8).write(to: URL(filePath: path))
  }

  private func text(_ source: (any ByteSource)?) throws -> String? {
    guard let source else { return nil }
    return try unsafe source.withBytes(0..<source.byteCount) {
      unsafe String(decoding: $0, as: UTF8.self)
    }
  }

  @Test func `files and links inside are read, links out and upward names are refused`() throws {
    let temporary = try TemporaryFolder()
    let root = temporary.path + "/model"
    try write("{}", to: root + "/config.json")
    try write("pool", to: root + "/1_Pooling/config.json")
    try write("secret", to: temporary.path + "/secret")
    try FileManager.default.createSymbolicLink(
      atPath: root + "/inside", withDestinationPath: "config.json")
    try FileManager.default.createSymbolicLink(
      atPath: root + "/out", withDestinationPath: "../secret")
    try FileManager.default.createSymbolicLink(
      atPath: root + "/up", withDestinationPath: "..")
    try FileManager.default.createSymbolicLink(
      atPath: root + "/loop", withDestinationPath: "loop")

    let folder = try ModelFolder(path: root)
    #expect(try text(folder.file("config.json")) == "{}")
    #expect(try text(folder.file("1_Pooling/config.json")) == "pool")
    #expect(try text(folder.file("inside")) == "{}")
    #expect(try folder.file("absent.json") == nil)
    #expect(try folder.file("loop") == nil)
    #expect(try folder.fileNames().contains("config.json"))
    for name in ["out", "up/secret"] {
      let error = #expect(throws: ModelDirectoryError.self) { try folder.file(name) }
      guard case .leadsOut(name, root, _)? = error else {
        Issue.record("\(name): \(String(describing: error))")
        continue
      }
    }
    #expect(throws: ModelDirectoryError.badName("../secret", directory: root)) {
      try folder.file("../secret")
    }
  }

  @Test func `a file or nothing in the place of a directory is refused by path`() throws {
    let temporary = try TemporaryFolder()
    try write("x", to: temporary.path + "/file")
    #expect(throws: SystemCallError.self) { try ModelFolder(path: temporary.path + "/file") }
    #expect(throws: SystemCallError.self) { try ModelFolder(path: temporary.path + "/none") }
  }
}
