// What comes from the stage before is taken as it is, or refused by name.

import ShoalInference
import ShoalNode
import ShoalProtocol
import ShoalSystem
import Testing

@Suite struct StageRelayTests {
  private static let binding = StepBinding(job: JobID(.zero), term: Term(3), plan: PlanID(.zero))

  /// The second of two stages of one rank each, at the beginning of a step of two tokens.
  private struct Second {
    let pass: ForwardPass
    let relay: StageRelay
    let first: PeerID
    /// The end of the link that the first stage holds.
    let sender: MemoryLink
    let hidden: Int

    init() throws {
      let engine = try Engine(TinyLlama.smallest.file().bytes)
      let (cut, library) = (engine.manifest.cut, engine.library)
      hidden = cut.shape.hidden
      let share = RankShare.split(cut, stages: [[1], [1]])[1]
      let model = try RankModel(manifest: engine.manifest, share: share) { try library.atom($0) }
      pass = ForwardPass(
        model: model, kernels: Kernels(), workers: try SystemThreads().workers(count: 1), batch: 4)
      pass.begin(tokens: [5, 6], at: 0, of: pass.makeSequence(context: 8), logits: .last)
      first = PeerID(SessionBytes.filled(1))
      let ends = MemoryLink.pair(left: first, right: PeerID(SessionBytes.filled(2))) {
        SystemThreads().gate()
      }
      sender = ends.0
      relay = StageRelay(
        route: StageRoute(rank: 1, stageSizes: [1, 1], hidden: hidden), links: [ends.1, nil],
        clock: SystemClock(),
        pacer: Pacer(pace: nil, clock: SystemClock(), threads: SystemThreads()))
    }

    /// Sends a frame of `header` and as many bytes of `fill`, and lets the relay take it.
    func take(
      _ type: FrameType = .handover, _ header: PartialHeader = StageRelayTests.expected,
      count: Int? = nil, fill: UInt8 = 0
    ) throws {
      #expect(try pass.advance() == .takeOver)
      let body = count ?? 2 * hidden * 4
      try unsafe sender.send(type, capacity: PartialHeader.count + body) { room in
        unsafe header.write(to: room)
        for index in 0..<body { unsafe room[PartialHeader.count + index] = fill }
        return PartialHeader.count + body
      }
      try relay.receive(
        pass, binding: StageRelayTests.binding, sequence: 9, layer: 1,
        deadline: SystemClock().now() + .seconds(60))
    }
  }

  private static let expected = header()

  private static func header(
    binding: UInt64 = binding.value, sequence: UInt32 = 9, layer: Int = 1, rank: UInt16 = 0
  ) -> PartialHeader {
    PartialHeader(
      binding: binding, sequence: sequence, index: UInt16(ForwardPass.handoverIndex + layer),
      rank: rank)
  }

  @Test func `rows of the right step are taken, and the stage goes on to its first sum`() throws {
    let second = try Second()
    try second.take(fill: 0x3f)
    #expect(try second.pass.advance() == .sum(index: ForwardPass.handoverIndex + 1))
    let rows = unsafe Array(second.pass.partial)
    #expect(rows == [Int64](repeating: 0x3f3f_3f3f, count: 2 * second.hidden))
    #expect(try second.pass.advance() == .sum(index: 3))
    #expect(second.relay.takeCost().total > 0)
  }

  @Test func `a handover of another step, layer, rank, type or size is refused`() throws {
    let strangers = [
      Self.header(binding: Self.binding.value ^ 1), Self.header(sequence: 8),
      Self.header(layer: 2), Self.header(rank: 1),
    ]
    for stranger in strangers {
      let second = try Second()
      #expect(
        throws: JobFailure.protocolViolation(
          second.first, .invalid(field: "handover of another step"))
      ) { try second.take(.handover, stranger) }
    }
    let partial = try Second()
    #expect(
      throws: JobFailure.protocolViolation(
        partial.first, .invalid(field: "handover of another step"))
    ) { try partial.take(.partial) }
    for extra in [-4, 4] {
      let second = try Second()
      #expect(
        throws: JobFailure.protocolViolation(second.first, .invalid(field: "handover"))
      ) { try second.take(count: 2 * second.hidden * 4 + extra) }
    }
  }

  @Test func `numbers that are none end the pass, and nothing traps`() throws {
    let second = try Second()
    try second.take(fill: 0xff)
    #expect(try second.pass.advance() == .sum(index: ForwardPass.handoverIndex + 1))
    #expect(throws: InferenceError.self) { try second.pass.advance() }
  }

  @Test func `a stage before that ends or says nothing is named`() throws {
    let closed = try Second()
    closed.sender.shutdown()
    #expect(throws: JobFailure.peerLost(closed.first)) {
      try closed.relay.receive(
        closed.pass, binding: Self.binding, sequence: 9, layer: 1,
        deadline: SystemClock().now() + .seconds(60))
    }
    let silent = try Second()
    let error = #expect(throws: JobFailure.self) {
      try silent.relay.receive(
        silent.pass, binding: Self.binding, sequence: 9, layer: 1, deadline: SystemClock().now())
    }
    guard case .deadline(let peer, _)? = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(peer == silent.first)
  }
}

private enum SessionBytes {
  static func filled(_ byte: UInt8) -> Bytes32 {
    Bytes32([UInt8](repeating: byte, count: 32)) ?? .zero
  }
}
