// A model's way from disk into the store: through the peer that runs here, or without one.

import Foundation
import ShoalGateway
import ShoalInference
import ShoalPeer
import ShoalProtocol
import ShoalSystem

struct ModelArrival {
  let peer: RunningPeer

  /// Imports a GGUF file or a Hugging Face directory.
  ///
  /// - Parameter plan: a file of a plan's facts, whose formats the atoms are to have.
  func bringIn(path: String, name: String?, plan: String? = nil) async throws -> ModelFacts {
    let bar = ProgressBar("importing")
    defer { bar.finish() }
    let path = URL(fileURLWithPath: path).path
    if let plan {
      let facts = try JSONDecoder().decode(
        PlanFacts.self, from: Data(contentsOf: URL(fileURLWithPath: plan)))
      let shape = try ModelOutline(ModelFiles(path: path)).shape
      let precision = try PlannedPrecision(facts).map(AtomCut(shape))
      return ModelFacts(
        try peer.data.open().importModel(path: path, name: name, precision: precision) {
          bar.show($0, $1)
        })
    }
    if let client = try await peer.client() {
      return try await client.importModel(path: path, name: name) { bar.show($0, $1) }
    }
    return ModelFacts(
      try peer.data.open().importModel(path: path, name: name) { bar.show($0, $1) })
  }
}
