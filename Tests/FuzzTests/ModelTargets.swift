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
