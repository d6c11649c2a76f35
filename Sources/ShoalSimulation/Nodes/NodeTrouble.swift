// What befalls whole nodes while they answer: put into virtual time before the job begins.

internal import ShoalProtocol

struct NodeTrouble {
  let world: NodeWorld
  let kinds: Set<FaultKind>
  /// A job on a LAN lasts some tens of milliseconds; its preparation as long again.
  private static let window = Int64(120_000)

  /// What comes, and whom it befalls. What has not come when the job ends can be called off.
  struct Coming {
    fileprivate(set) var timers: [VirtualLoop.Timer] = []
    fileprivate var kinds: Set<FaultKind> = []
    fileprivate var victims: Set<Int> = []

    /// The one peer that dies or stops, where nothing else goes wrong; nil: nobody, or more.
    var onlyLoss: Int? {
      kinds.isSubset(of: [.crash, .stall, .leave]) && victims.count == 1 ? victims.first : nil
    }

    /// Whether all that befalls the mesh is that one peer says goodbye.
    var isOnlyGoodbye: Bool { kinds == [.leave] && victims.count == 1 }
  }

  /// Draws and schedules one or two troubles of the kinds that whole nodes know.
  func schedule() -> Coming {
    let known: [FaultKind] = [
      .loss, .duplication, .reordering, .partition, .delay, .stall, .crash, .flip, .leave,
    ]
    let drawn = known.filter { kinds.contains($0) }
    guard !drawn.isEmpty else { return Coming() }
    var coming = Coming()
    for number in 0..<Int.random(in: 1...2, using: &world.random) {
      let kind = drawn[Int.random(in: 0..<drawn.count, using: &world.random)]
      let wait = Int64.random(in: 0...Self.window, using: &world.random)
      let victim = Int.random(in: 0..<world.places.count, using: &world.random)
      coming.kinds.insert(kind)
      coming.victims.insert(victim)
      coming.timers.append(
        prepare(kind, victim: victim, cut: number, at: world.loop.now + .microseconds(wait)))
    }
    return coming
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
        world.damage(victim, pick: number)
      case .partition:
        let others = Set(world.places.indices).subtracting([victim])
        world.mesh.network.sever(cut, from: [victim], to: others)
        if number % 2 == 0 { world.mesh.network.sever(cut, from: others, to: [victim]) }
      case .stall: freeze(victim, for: .milliseconds(Int64(number % 20_000)))
      case .crash: world.kill(victim, sayingSo: number % 3 > 0)
      case .leave: world.places[victim].process?.depart()
      case .bandwidth, .skew, .slow, .rollback, .lie, .twin, .join: break
      }
    }
  }

  private func freeze(_ victim: Int, for duration: Duration) {
    guard let owner = world.places[victim].process?.owner else { return }
    owner.freeze()
    world.loop.at(world.loop.now + duration) { owner.thaw() }
  }
}
