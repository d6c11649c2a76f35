// GGUF files that others wrote: every one is read, the damaged one is refused by name and offset.

import Foundation
import ShoalInference
import ShoalProtocol
import Testing

/// Where third-party data lies, beside the package.
enum SharedData {
  static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "../../../shared/data").standardizedFileURL

  static func exists(_ path: String) -> Bool {
    FileManager.default.fileExists(atPath: folder.appending(path: path).path)
  }
  static func bytes(_ path: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: folder.appending(path: path)))
  }
  static func gguf(_ path: String) throws -> GGUFFile {
    try GGUFFile(MemoryByteSource(name: path, bytes: try bytes(path)))
  }
  static func names(_ path: String, ending: String) -> [String] {
    let all = try? FileManager.default.contentsOfDirectory(
      atPath: folder.appending(path: path).path)
    return (all ?? []).filter { $0.hasSuffix(ending) }.sorted().map { "\(path)/\($0)" }
  }
}

@Suite(.enabled(if: SharedData.exists("gguf"), "the shared data is absent"))
struct GGUFSharedDataTests {
  @Test(
    arguments: SharedData.names("gguf", ending: ".gguf")
      + SharedData.names("models/stories260K", ending: ".gguf")
      + SharedData.names("tokenizers/llama.cpp-vocab", ending: ".gguf"))
  func `a file of another writer is read`(_ path: String) throws {
    let file = try SharedData.gguf(path)
    #expect(try !file.metadata.string("general.architecture").isEmpty)
    #expect(try !file.metadata.strings("tokenizer.ggml.tokens").isEmpty)
    for tensor in file.tensors.values {
      #expect(tensor.elementCount == tensor.dimensions.reduce(1, *))
    }
  }

  @Test func `a file mangled by a text conversion is refused at the byte that gives it away`()
    throws
  {
    let path = "tokenizers/corrupt/gpt2-vocab-utf8-mangled.gguf"
    let error = #expect(throws: GGUFError.self) { try SharedData.gguf(path) }
    #expect(error?.file == path)
    // Entry 7 is a number whose first bytes became U+FFFD; the next key's length is then absurd.
    #expect(error?.place == .metadata(entry: 8, key: nil))
    #expect(error?.offset == 339)
  }

  @Test func `a real file cut short is refused`() throws {
    let bytes = try SharedData.bytes("gguf/llama-gqa-q4_0.gguf")
    let lengths = Array(0..<600) + stride(from: 600, to: bytes.count, by: 997)
    for length in lengths {
      let cut = MemoryByteSource(name: "cut", bytes: Array(bytes.prefix(length)))
      #expect(throws: GGUFError.self, "length \(length)") { try GGUFFile(cut) }
    }
  }
}
