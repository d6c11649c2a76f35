// A model's way from disk into the store: through the peer that runs here, or without one.

import Foundation
import ShoalGateway
import ShoalPeer

struct ModelArrival {
  let peer: RunningPeer

  /// Imports a GGUF file or a Hugging Face directory.
  func bringIn(path: String, name: String?) async throws -> ModelFacts {
    let bar = ProgressBar("importing")
    defer { bar.finish() }
    let path = URL(fileURLWithPath: path).path
    if let client = try await peer.client() {
      return try await client.importModel(path: path, name: name) { bar.show($0, $1) }
    }
    return ModelFacts(
      try peer.data.open().importModel(path: path, name: name) { bar.show($0, $1) })
  }
}
