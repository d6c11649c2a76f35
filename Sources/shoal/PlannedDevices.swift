// `shoal plan MODEL --peers PATH...`: a plan over device profiles, for a model in the store or for
// one of which only the header is here.

import ArgumentParser
import Foundation
import ShoalGateway
import ShoalInference
import ShoalLedger
import ShoalNode
import ShoalPeer
import ShoalProtocol
import ShoalSecurity
import ShoalSystem

struct PlannedDevices {
  let model: String
  /// Profiles, and folders of profiles.
  let paths: [String]
  let objective: PlanObjective
  /// Nil: what the model was made for, at most 2,048.
  let context: Int?
  /// All hold what the file has; else devices without room hold less.
  let isStored: Bool
  let data: DataDirectory

  func plan() throws -> PlanFacts {
    let clock = SystemClock()
    let start = clock.now()
    let planned = try modelShape()
    let read = clock.now()
    let plan = try over(devices(), planned, context: context ?? min(planned.context, 2_048))
    return PlanFacts(
      plan, model: planned.name, manifest: planned.manifest, headerDuration: read - start,
      planDuration: clock.now() - read)
  }

  private func over(
    _ devices: [DeviceProfile], _ model: PlannedShape, context: Int
  ) throws -> DevicePlan {
    do {
      return try DevicePlan(
        shape: model.shape, over: devices, objective: objective, context: context,
        lower: model.lower)
    } catch {
      guard case .doesNotFit(let needed, let available) = error as PlanError else { throw error }
      let rooms = available.map { "\($0.available)" }.joined(separator: ", ")
      throw UserError(
        "\(self.model) needs \(needed) and more for each further device; of these devices a plan"
          + " may fill \(rooms)")
    }
  }

  /// What the planner sees of the model.
  private struct PlannedShape {
    let name: String
    /// Empty where only a header is here.
    let manifest: String
    let shape: ModelShape
    /// In lower formats; of a model in the store none: its atoms are cut.
    let lower: [ModelShape]
    /// The longest text that it was made for.
    let context: Int
  }

  private func modelShape() throws -> PlannedShape {
    if FileManager.default.fileExists(atPath: model) {
      let outline = try ModelOutline(ModelFiles(path: model))
      return PlannedShape(
        name: ModelLibrary.name(ofFile: model), manifest: "", shape: ModelShape(outline),
        lower: isStored ? [] : try ModelShape.lower(outline), context: outline.shape.context)
    }
    let store = try data.open()
    guard let entry = try store.registry().resolve(model, own: store.identity.id) else {
      throw UserError("no model named \(model), and no file or directory of that name")
    }
    let manifest = try store.library.manifest(entry.model)
    return PlannedShape(
      name: entry.name, manifest: entry.model.raw.hex, shape: ModelShape(manifest, entry.model),
      lower: [], context: manifest.shape.context)
  }

  private func devices() throws -> [DeviceProfile] {
    let files = try paths.flatMap { path in
      var isDirectory: ObjCBool = false
      guard unsafe FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory),
        isDirectory.boolValue
      else { return [path] }
      return try FileManager.default.contentsOfDirectory(atPath: path).sorted()
        .filter { $0.hasSuffix(".toml") }.map { "\(path)/\($0)" }
    }
    guard !files.isEmpty else {
      throw ValidationError("--peers names device profiles, such as Peers/rtx4090-desktop.toml")
    }
    return try files.map { try DeviceProfile(file: $0) }
  }
}
