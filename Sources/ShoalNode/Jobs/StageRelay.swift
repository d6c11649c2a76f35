// The way between pipeline stages: a rank takes its columns of the hidden state from one rank of
// the stage before, and hands columns on to ranks of the stage after.

package import ShoalInference
package import ShoalProtocol

/// What one rank receives and sends at the ends of its stage. Lives on the rank's thread.
package final class StageRelay {
  private let route: StageRoute
  /// By rank.
  private let links: [(any FrameLink)?]
  private let clock: any MeshClock
  private var pacer: Pacer
  private var cost = ExchangeCost()

  package init(route: StageRoute, links: [(any FrameLink)?], clock: any MeshClock, pacer: Pacer) {
    self.route = route
    self.links = links
    self.clock = clock
    self.pacer = pacer
  }

  /// The parts of all handovers since the last call.
  package func takeCost() -> ExchangeCost {
    defer { cost = ExchangeCost() }
    let ranks = route.targets.map(\.rank) + (route.source.map { [$0.rank] } ?? [])
    for rank in ranks {
      if let link = links[rank] { cost.link += link.takeCost() }
    }
    return cost
  }

  /// Waits for the columns that this rank takes over. Layer `layer` follows.
  package func receive(
    _ pass: ForwardPass, binding: StepBinding, sequence: UInt32, layer: Int, deadline: Moment
  ) throws(JobFailure) {
    guard let source = route.source, let link = links[source.rank] else { return }
    let start = clock.now()
    let frame = try link.receiveFromRank(deadline: deadline, clock)
    let header = PartialHeader(
      binding: binding.value, sequence: sequence, index: Self.index(layer),
      rank: UInt16(source.rank))
    guard frame.type == .handover, unsafe PartialHeader(frame.payload) == header else {
      throw .protocolViolation(link.peer, .invalid(field: "handover of another step"))
    }
    let isWhole = unsafe pass.takeOver(
      source.columns,
      from: UnsafeRawBufferPointer(rebasing: frame.payload[PartialHeader.count...]))
    guard isWhole else { throw .protocolViolation(link.peer, .invalid(field: "handover")) }
    cost.total += start.until(clock.now())
  }

  /// Hands over what the stage came to. Layer `layer` is the next stage's first.
  package func send(
    _ pass: ForwardPass, binding: StepBinding, sequence: UInt32, layer: Int
  ) throws(JobFailure) {
    let start = clock.now()
    let header = PartialHeader(
      binding: binding.value, sequence: sequence, index: Self.index(layer),
      rank: UInt16(route.rank))
    for target in route.targets {
      guard let link = links[target.rank] else { continue }
      let count = PartialHeader.count + pass.handoverBytes(target.columns)
      do {
        try unsafe link.send(.handover, capacity: count) { room in
          unsafe header.write(to: room)
          unsafe pass.handOver(
            target.columns,
            into: UnsafeMutableRawBufferPointer(rebasing: room[PartialHeader.count..<count]))
          return count
        }
      } catch {
        throw .peerLost(link.peer)
      }
      cost.bytesSent += UInt64(count)
      pacer.deliver(count, to: [target.rank], since: start)
    }
    cost.total += start.until(clock.now())
  }

  private static func index(_ layer: Int) -> UInt16 {
    UInt16(ForwardPass.handoverIndex + layer)
  }
}
