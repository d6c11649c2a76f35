// Files of weights from anywhere, and blobs that other peers made of them.

import ShoalInference
import ShoalProtocol

extension FuzzTarget {
  static let models: [FuzzTarget] = [
    FuzzTarget("gguf") { bytes in
      let file = try GGUFFile(MemoryByteSource(name: "fuzz.gguf", bytes: bytes))
      _ = try? Tokenizer(TokenizerDefinition(gguf: file.metadata))
      let importer = try ModelImporter(
        ModelDescription(header: GGUFModelHeader(file.metadata), weights: file))
      // What a header describes is cut only where the file is as large as it says.
      guard importer.shape.vocabulary <= 1 << 12, importer.shape.hidden <= 1 << 12 else { return }
      _ = try unsafe importer.run(
        tokenizer: [], chatTemplate: "", keep: { _ in BlobID(.zero) }, progress: { _, _ in })
    },
    FuzzTarget("safetensors") { bytes in
      let file = try SafetensorsFile(MemoryByteSource(name: "fuzz.safetensors", bytes: bytes))
      for tensor in file.tensors where tensor.range.upperBound > UInt64(bytes.count) {
        throw BrokenPromise(description: "\(tensor.name) ends beyond the file")
      }
    },
    FuzzTarget("model-directory") { bytes in
      let directory = try FuzzedDirectory(bytes)
      let header = try HuggingFaceHeader(directory)
      let importer = try ModelImporter(
        ModelDescription(
          header: header, weights: SafetensorsCheckpoint(directory),
          sentences: SentenceModules(directory)))
      guard importer.shape.vocabulary <= 1 << 12, importer.shape.hidden <= 1 << 12 else { return }
      _ = try unsafe importer.run(
        tokenizer: [], chatTemplate: "", keep: { _ in BlobID(.zero) }, progress: { _, _ in })
    },
    FuzzTarget("manifest", seeds: tags) { bytes in
      let manifest = try ModelManifest(canonicalBytes: bytes)
      guard manifest.canonicalBytes == bytes else {
        throw BrokenPromise(description: "a manifest is not written as it was read")
      }
    },
    FuzzTarget("atom", seeds: tags) { bytes in
      let owner = Owner()
      _ = try unsafe bytes.withUnsafeBytes { bytes in
        try unsafe AtomBlob(id: BlobID(.zero), bytes: bytes, owner: owner)
      }
    },
  ]

  private final class Owner: Sendable {}
}

/// A Hugging Face directory out of one input: its files' texts, cut at bytes of 0. The first is
/// `config.json`, the second the JSON header of `model.safetensors`, whose weights are zeros as
/// many as it says; a third is `modules.json`.
private struct FuzzedDirectory: ModelDirectory {
  let name = "fuzz"
  private let files: [String: [UInt8]]

  init(_ bytes: [UInt8]) throws {
    let texts = bytes.split(separator: 0, maxSplits: 2, omittingEmptySubsequences: false)
    guard texts.count > 1 else { throw Refused() }
    var files = ["config.json": [UInt8](texts[0])]
    files["model.safetensors"] = FuzzedDirectory.checkpoint([UInt8](texts[1]))
    if texts.count > 2 { files["modules.json"] = [UInt8](texts[2]) }
    self.files = files
  }

  /// Zeros up to the largest number of the header, within a bound.
  private static func checkpoint(_ header: [UInt8]) -> [UInt8] {
    let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
    let numbers = header.split { !digits.contains($0) }.compactMap {
      Int(String(decoding: $0, as: UTF8.self))
    }
    let weights = min(numbers.max() ?? 0, 1 << 20)
    var bytes = (0..<8).map { UInt8(truncatingIfNeeded: UInt64(header.count) >> (8 * $0)) }
    bytes += header
    return bytes + [UInt8](repeating: 0, count: weights)
  }

  func fileNames() -> [String] { files.keys.sorted() }

  func file(_ name: String) throws -> (any ByteSource)? {
    let path = try parts(ofName: name).joined(separator: "/")
    return files[path].map { MemoryByteSource(name: path, bytes: $0) }
  }
}
