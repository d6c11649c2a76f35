// A plan over devices that are described and not there: the planner alone, without a mesh.

public import ShoalInference
public import ShoalProtocol
internal import ShoalSecurity

public struct DevicePlan: Sendable {
  /// What the plan's peers are: the profile's id, numbered where there are several of one kind.
  public let names: [PeerID: String]
  public let report: PlanReport
  public let id: PlanID

  /// - Parameters:
  ///   - devices: each stands for one willing peer in a failure domain of its own.
  ///   - context: positions to reserve keys and values for.
  public init(
    shape: ModelShape, over devices: [DeviceProfile], objective: PlanObjective, context: Int
  ) throws(PlanError) {
    var names: [PeerID: String] = [:]
    var capacities: [DeviceCapacity] = []
    var seen: [String: Int] = [:]
    for device in devices {
      let number = seen[device.id, default: 0] + 1
      seen[device.id] = number
      let name = number == 1 ? device.id : "\(device.id) \(number)"
      let peer = PeerID(BLAKE2b.hash(Array(name.utf8)))
      names[peer] = name
      capacities.append(device.capacity(peer: peer, numerics: ModelManifest.numerics))
    }
    self.names = names
    report = try PlacementPlanner().plan(
      PlanRequest(shape: shape, objective: objective, contextTokens: context), over: capacities)
    id = unsafe report.plan.id(hash: BLAKE2b.contentHash)
  }
}

extension ModelShape {
  /// Of a model that nobody holds. Its id, by which slots are ranked, stands for no manifest.
  public init(_ outline: ModelOutline) {
    let seed = "\(outline.architecture) \(outline.shape)"
    self.init(
      outline.shape, model: ModelID(BLAKE2b.hash(Array(seed.utf8))),
      precision: outline.format.ratedAs, isTied: outline.isTied, sizes: outline.sizes)
  }
}
