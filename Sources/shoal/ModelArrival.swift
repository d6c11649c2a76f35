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
    let path = URL(fileURLWithPath: path).path
    let facts = try await store(path: path, name: name, plan: plan)
    if let reason = templateRefusal(path) {
      Terminal.printError("\(path): \(reason); a chat with \(facts.name) needs --template FILE")
    }
    return facts
  }

  private func store(path: String, name: String?, plan: String?) async throws -> ModelFacts {
    let bar = ProgressBar("importing")
    defer { bar.finish() }
    if let plan {
      let facts = try JSONDecoder().decode(
        PlanFacts.self, from: Data(contentsOf: URL(fileURLWithPath: plan)))
      let shape = try ModelOutline(ModelFiles(path: path)).shape
      let precision = try PlannedPrecision(facts).map(AtomCut(shape))
      let store = try peer.data.open()
      let entry = try store.importModel(path: path, name: name, precision: precision) {
        bar.show($0, $1)
      }
      try store.documents.keep(PlannedDerivation(entry), by: facts)
      return ModelFacts(entry)
    }
    if let client = try await peer.client() {
      return try await client.importModel(path: path, name: name) { bar.show($0, $1) }
    }
    return ModelFacts(
      try peer.data.open().importModel(path: path, name: name) { bar.show($0, $1) })
  }

  /// Why the model's own chat template cannot be used; nil where it can, or where there is none.
  private func templateRefusal(_ path: String) -> TemplateError? {
    // What a peer elsewhere imported does not lie here.
    guard let template = try? ModelFiles(path: path).chatTemplate(), !template.isEmpty else {
      return nil
    }
    do throws(TemplateError) {
      _ = try ChatTemplate(template)
      return nil
    } catch { return error }
  }
}
