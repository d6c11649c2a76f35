// What a plan's formats cost in quality, as far as it was measured here.

import Foundation
import ShoalGateway
import ShoalLedger
import ShoalProtocol
import ShoalSecurity
import ShoalSystem

/// A model that was made by a plan (`shoal import --plan`): its atoms have the plan's formats.
struct PlannedDerivation: Codable {
  let name: String
  let manifest: String

  init(_ entry: ModelEntry) {
    name = entry.name
    manifest = entry.model.raw.hex
  }
}

extension DirectoryDocuments {
  /// The hash of a plan over a header stands for a shape and its formats: two models of one shape
  /// are told apart by what was planned.
  private func document(_ plan: PlanFacts) -> String {
    "planned-" + BLAKE2b.hash(Array("\(plan.plan) \(plan.model)".utf8)).hex
  }

  func keep(_ derivation: PlannedDerivation, by plan: PlanFacts) throws {
    try write(document(plan), Array(try JSONOutput.text(derivation).utf8), isSecret: false)
  }

  /// Nil: nothing was made by this plan here.
  func derivation(by plan: PlanFacts) throws -> PlannedDerivation? {
    guard let bytes = try read(document(plan)) else { return nil }
    return try JSONDecoder().decode(PlannedDerivation.self, from: Data(bytes))
  }
}

/// What is known of the model that a plan is about.
struct PlanQuality {
  /// Of a plan over a header: the model that was made by it.
  let derived: PlannedDerivation?
  let measured: PerplexityFacts?

  /// - Parameter data: the data directory, which need not be there.
  init(_ plan: PlanFacts, data: URL) throws {
    guard FileManager.default.fileExists(atPath: data.path) else {
      (derived, measured) = (nil, nil)
      return
    }
    let documents = try DirectoryDocuments(path: data.path)
    derived = plan.manifest.isEmpty ? try documents.derivation(by: plan) : nil
    measured = try documents.perplexity(ofManifest: derived?.manifest ?? plan.manifest)
  }

  /// For people.
  ///
  /// - Parameter isMixed: the plan's devices hold different formats.
  func lines(isMixed: Bool) -> [String] {
    let made = derived.map { "\($0.name), made by this plan, " } ?? ""
    if let measured { return ["\(made)measured on \(measured.text): \(measured.line)"] }
    if let derived {
      return [
        "\(derived.name) was made by this plan; `shoal perplexity \(derived.name) FILE` measures"
          + " what it costs"
      ]
    }
    guard isMixed else { return [] }
    return [
      "devices hold different formats; `shoal import MODEL --plan FILE` makes that model of the"
        + " facts of --json, `shoal perplexity` measures what it costs"
    ]
  }
}
