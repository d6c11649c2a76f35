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
  let data: DataDirectory

  func plan() throws -> PlanFacts {
    let clock = SystemClock()
    let start = clock.now()
    let (name, shape, longest) = try modelShape()
    let read = clock.now()
    let plan = try over(devices(), shape, context: context ?? min(longest, 2_048))
    return PlanFacts(
      plan, model: name, headerDuration: read - start, planDuration: clock.now() - read)
  }

  private func over(
    _ devices: [DeviceProfile], _ shape: ModelShape, context: Int
  ) throws -> DevicePlan {
    do {
      return try DevicePlan(shape: shape, over: devices, objective: objective, context: context)
    } catch {
      guard case .doesNotFit(let needed, let available) = error as PlanError else { throw error }
      let rooms = available.map { "\($0.available)" }.joined(separator: ", ")
      throw UserError(
        "\(model) needs \(needed) and more for each further device; of these devices a plan may"
          + " fill \(rooms)")
    }
  }

  /// What the planner sees of the model, and the longest text that it was made for.
  private func modelShape() throws -> (name: String, shape: ModelShape, context: Int) {
    if FileManager.default.fileExists(atPath: model) {
      let outline = try ModelOutline(ModelFiles(path: model))
      return (ModelLibrary.name(ofFile: model), ModelShape(outline), outline.shape.context)
    }
    let store = try data.open()
    guard let entry = try store.registry().resolve(model, own: store.identity.id) else {
      throw UserError("no model named \(model), and no file or directory of that name")
    }
    let manifest = try store.library.manifest(entry.model)
    return (entry.name, ModelShape(manifest, entry.model), manifest.shape.context)
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
