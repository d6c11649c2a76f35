// Which files became which models, so that a path that is named again is not read again.

import Foundation
internal import ShoalInference
internal import ShoalNode
internal import ShoalProtocol
internal import ShoalSecurity
internal import ShoalSystem

/// What files were when they were imported, by all that stat(2) says of them: one that was changed
/// or replaced is read again. Where this is lost or damaged, that costs an import.
struct ImportedFiles {
  /// As many as a person has at hand; the oldest are forgotten.
  private static let limit = 64
  private static let document = "imported"

  private struct Entry: Codable {
    /// Hexadecimal.
    let stamp: String
    let model: String
  }

  private let documents: any DocumentStore

  init(_ documents: any DocumentStore) { self.documents = documents }

  /// The model that the file or directory at `path` became; nil where it was not imported as it is
  /// now, or is no longer whole in `library`.
  func model(of path: String, in library: ModelLibrary) -> ModelID? {
    guard let stamp = Self.stamp(path),
      let entry = entries().last(where: { $0.stamp == stamp }),
      let raw = Hex.decode(entry.model).flatMap(Bytes32.init),
      let manifest = try? library.manifest(ModelID(raw)),
      library.blobs.contains(manifest.tokenizer),
      library.missing(manifest, manifest.atoms.map(\.key)).isEmpty
    else { return nil }
    return ModelID(raw)
  }

  /// Takes in that the files at `path` became `model`.
  func note(_ path: String, _ model: ModelID) {
    guard let stamp = Self.stamp(path) else { return }
    var entries = entries().filter { $0.stamp != stamp }
    entries.append(Entry(stamp: stamp, model: model.raw.hex))
    guard let bytes = try? JSONEncoder().encode(Array(entries.suffix(Self.limit))) else { return }
    try? documents.write(Self.document, Array(bytes), isSecret: false)
  }

  private func entries() -> [Entry] {
    guard let bytes = try? documents.read(Self.document) else { return [] }
    return (try? JSONDecoder().decode([Entry].self, from: Data(bytes))) ?? []
  }

  /// Of all files at `path`, and of how they are cut.
  private static func stamp(_ path: String) -> String? {
    guard let files = FileStamp.text(ofFilesAt: path) else { return nil }
    return BLAKE2b.hash(Array("\(ModelManifest.version) \(files)".utf8)).hex
  }
}
