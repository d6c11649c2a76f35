// What befalls whole nodes while they answer: put into virtual time before the job begins.

internal import ShoalProtocol

struct NodeTrouble {
  let world: NodeWorld
  let kinds: Set<FaultKind>
  /// A job on a LAN lasts some tens of milliseconds; its preparation as long again.
  private static let window = Int64(120_000)

  /// Draws and schedules one or two troubles of the kinds that whole nodes know. What has not come
  /// when the job ends can be called off.
  func schedule() -> [VirtualLoop.Timer] {
    let known: [FaultKind] = [
      .loss, .duplication, .reordering, .partition, .delay, .stall, .crash, .flip,
    ]
    let drawn = known.filter { kinds.contains($0) }
    guard !drawn.isEmpty else { return [] }
    let troubles = Int.random(in: 1...2, using: &world.random)
    return (0..<troubles).map { number in
      let kind = drawn[Int.random(in: 0..<drawn.count, using: &world.random)]
      let wait = Int64.random(in: 0...Self.window, using: &world.random)
      let victim = Int.random(in: 0..<world.places.count, using: &world.random)
      return prepare(
        kind, victim: victim, cut: number, at: world.loop.now + .microseconds(wait))
    }
  }

  private func prepare(_ kind: FaultKind, victim: Int, cut: Int, at moment: Moment)
    -> VirtualLoop.Timer
  {
    let world = world
    world.mesh.trace.add(.fault, peer: victim, UInt64(cut), at: world.loop.now)
    let number = world.random.next()
    return world.loop.at(moment) {
      switch kind {
      case .loss: world.mesh.network.weather.lossPerMille = 100
      case .duplication: world.mesh.network.weather.duplicatePerMille = 100
      case .reordering: world.mesh.network.weather.jitter = 0...10_000
      case .delay: world.mesh.network.weather.jitter = 0...200_000
      case .flip:
        world.mesh.network.weather.flipPerMille = 50
        world.places[victim].process?.disk.damage(pick: number)
      case .partition:
        let others = Set(world.places.indices).subtracting([victim])
        world.mesh.network.sever(cut, from: [victim], to: others)
        if number % 2 == 0 { world.mesh.network.sever(cut, from: others, to: [victim]) }
      case .stall: freeze(victim, for: .milliseconds(Int64(number % 20_000)))
      case .crash: world.kill(victim, sayingSo: number % 3 > 0)
      case .bandwidth, .skew, .slow, .rollback, .lie, .twin, .join, .leave: break
      }
    }
  }

  private func freeze(_ victim: Int, for duration: Duration) {
    guard let owner = world.places[victim].process?.owner else { return }
    owner.freeze()
    world.loop.at(world.loop.now + duration) { owner.thaw() }
  }
}
