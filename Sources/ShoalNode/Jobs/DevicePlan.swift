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
  ///   - lower: the same model in lower formats, for devices without room (`PlanRequest.lower`).
  public init(
    shape: ModelShape, over devices: [DeviceProfile], objective: PlanObjective, context: Int,
    lower: [ModelShape] = []
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
      PlanRequest(shape: shape, objective: objective, contextTokens: context, lower: lower),
      over: capacities)
    id = unsafe report.plan.id(hash: BLAKE2b.contentHash)
  }
}

extension ModelShape {
  /// Of a model that nobody holds. Its id, by which slots are ranked, stands for no manifest.
  public init(_ outline: ModelOutline) {
    self.init(outline, precision: outline.format.ratedAs, sizes: outline.sizes)
  }

  private init(
    _ outline: ModelOutline, precision: AtomPrecision,
    sizes: [(key: AtomKey, byteCount: UInt64)]
  ) {
    let seed = "\(outline.architecture) \(outline.shape)"
    self.init(
      outline.shape, model: ModelID(BLAKE2b.hash(Array(seed.utf8))), precision: precision,
      isTied: outline.isTied, sizes: sizes)
  }

  /// The same model in every lower format that saves at least a tenth, best first.
  public static func lower(_ outline: ModelOutline) throws -> [ModelShape] {
    var shapes: [ModelShape] = []
    var least = outline.sizes.reduce(0) { $0 + $1.byteCount }
    for (format, sizes) in try outline.lowerSizes() {
      let bytes = sizes.reduce(0) { $0 + $1.byteCount }
      guard bytes <= least / 10 * 9 else { continue }
      least = bytes
      shapes.append(ModelShape(outline, precision: format.ratedAs, sizes: sizes))
    }
    return shapes
  }
}
