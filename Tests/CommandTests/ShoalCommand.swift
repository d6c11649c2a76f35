// The program `shoal`, run as a process on a data directory of its own.

import Foundation
import Testing

/// Removed, with what is in it, when the object goes.
final class ShoalCommand {
  struct Outcome {
    let status: Int32
    let output: String
    let errors: String
  }

  /// Where tests put what commands read.
  let folder: URL

  init() throws {
    folder = FileManager.default.temporaryDirectory.appending(path: "shoal-\(UUID())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  deinit {
    // What stays, the system clears.
    try? FileManager.default.removeItem(at: folder)
  }

  /// Runs one command to its end.
  func run(_ arguments: [String], input: String = "") async throws -> Outcome {
    let process = Process()
    process.executableURL = URL(filePath: try #require(Self.program, "shoal is not built"))
    process.arguments = arguments
    process.environment = ProcessInfo.processInfo.environment.merging(
      ["SHOAL_DATA": folder.appending(path: "data").path]) { $1 }
    process.standardInput = try FileHandle(forReadingFrom: write(input, to: "input"))
    let output = try write("", to: "output")
    let errors = try write("", to: "errors")
    process.standardOutput = try FileHandle(forWritingTo: output)
    process.standardError = try FileHandle(forWritingTo: errors)
    let (ends, end) = AsyncStream.makeStream(of: Void.self)
    process.terminationHandler = { _ in end.finish() }
    try process.run()
    for await _ in ends {}
    return Outcome(
      status: process.terminationStatus, output: try String(contentsOf: output, encoding: .utf8),
      errors: try String(contentsOf: errors, encoding: .utf8))
  }

  @discardableResult func write(_ text: String, to name: String) throws -> URL {
    let file = folder.appending(path: name)
    try Data(text.utf8).write(to: file)
    return file
  }

  /// Beside the tests, where one build puts both.
  private static let program: String? = {
    var place = URL(filePath: ProcessInfo.processInfo.arguments[0]).standardizedFileURL
    while place.path != "/" {
      place.deleteLastPathComponent()
      let program = place.appending(path: "shoal").path
      var isDirectory: ObjCBool = false
      if unsafe FileManager.default.fileExists(atPath: program, isDirectory: &isDirectory),
        !isDirectory.boolValue
      {
        return program
      }
    }
    return nil
  }()

  /// The repository.
  static let root = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "../..").standardizedFileURL

  /// Copies a small model of random weights into the folder.
  ///
  /// - Parameter chatTemplate: in Jinja; nil: none.
  func model(_ name: String, chatTemplate: String? = nil) throws -> String {
    let families = Self.root.appending(path: "Tests/Fixtures/families")
    let model = folder.appending(path: "model")
    try FileManager.default.copyItem(at: families.appending(path: name), to: model)
    try FileManager.default.copyItem(
      at: families.appending(path: "tokenizer.json"), to: model.appending(path: "tokenizer.json"))
    if let chatTemplate {
      let settings = try JSONEncoder().encode(["chat_template": chatTemplate])
      try settings.write(to: model.appending(path: "tokenizer_config.json"))
    }
    return model.path
  }
}
