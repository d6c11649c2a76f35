// The listener against a chain that reorganises and a node that fails: every log once, in order,
// undone and redone as the chain does.

import ShoalEthereum
import ShoalLedger
import ShoalProtocol
import Testing

struct ListenerTests {
  private static let confirmations: UInt64 = 6

  /// What a consumer keeps: events are applied as they come, and a wrong one is a fault.
  private struct Consumer {
    var active: [ChainLog] = []
    var finalCount = 0
    var undone = 0
    var faults: [String] = []

    mutating func apply(_ event: ChainEvent) {
      switch event {
      case .seen(let log):
        if active.contains(log) { faults.append("seen twice: block \(log.block)") }
        if let last = active.last, (log.block, log.index) <= (last.block, last.index) {
          faults.append("out of order: block \(log.block) after \(last.block)")
        }
        active.append(log)
      case .undone(let log):
        if active.last != log { faults.append("undone, but not the newest: block \(log.block)") }
        if active.count <= finalCount { faults.append("undone after final: block \(log.block)") }
        if !active.isEmpty { active.removeLast() }
        undone += 1
      case .final(let log):
        if finalCount >= active.count || active[finalCount] != log {
          faults.append("final out of order: block \(log.block)")
        }
        finalCount += 1
      }
    }
  }

  private struct Story {
    var consumer = Consumer()
    var restarts = 0
    var failures = 0
    var reorganisations = 0
  }

  private static func run(seed: UInt64) -> (Story, FakeChain, ChainListener) {
    var chain = FakeChain(seed: seed)
    var chance = SplitMix(state: seed &* 77)
    chain.grow(Int.random(in: 0...80, using: &chance))
    var listener = ChainListener(
      from: .init(anchor: 0), confirmations: confirmations, span: 16)
    let rangeLimit = UInt64.random(in: 1...20, using: &chance)
    var story = Story()
    for round in 0..<120 {
      let isQuiet = round >= 100
      listener.poll()
      while let question = listener.question {
        if !isQuiet {
          switch Int.random(in: 0..<20, using: &chance) {
          case 0: chain.grow(Int.random(in: 1...4, using: &chance))
          case 1:
            chain.reorganise(
              depth: Int.random(in: 1..<Int(confirmations), using: &chance))
          case 2:
            story.failures += 1
            for event in listener.take(.unavailable) { story.consumer.apply(event) }
            continue
          case 3:
            // What was kept is all that the next process has.
            story.restarts += 1
            listener = ChainListener(
              from: listener.checkpoint, confirmations: confirmations, span: 16)
            listener.poll()
            continue
          case _: break
          }
        }
        let events = listener.take(chain.answer(question, rangeLimit: rangeLimit))
        for event in events { story.consumer.apply(event) }
      }
      // Now and then nobody looks for a long time.
      let pause = Int.random(in: 0..<40, using: &chance) == 0 ? 60 : 2
      if !isQuiet { chain.grow(Int.random(in: 0...pause, using: &chance)) }
    }
    story.reorganisations = chain.reorganisations
    return (story, chain, listener)
  }

  @Test(arguments: 1...100 as ClosedRange<UInt64>)
  func `every log comes once and in order, whatever the chain and the node do`(
    _ seed: UInt64
  ) {
    let (story, chain, listener) = Self.run(seed: seed)
    #expect(story.consumer.faults.isEmpty)
    #expect(listener.halt == nil)
    #expect(story.consumer.active == chain.canonical(upTo: chain.head))
    let final = chain.canonical(upTo: chain.head - min(chain.head, Self.confirmations))
    #expect(Array(story.consumer.active.prefix(story.consumer.finalCount)) == final)
  }

  @Test func `the stories have what they are about`() {
    let stories = (1...100 as ClosedRange<UInt64>).map { Self.run(seed: $0).0 }
    #expect(stories.count { $0.consumer.undone > 0 } > 80)
    #expect(stories.count { $0.restarts > 0 } > 80)
    #expect(stories.count { $0.failures > 0 } > 80)
    #expect(stories.reduce(0) { $0 + $1.reorganisations } > 500)
  }

  @Test func `a final block that changes halts the listener and says which`() {
    var chain = FakeChain(seed: 5)
    chain.grow(40)
    var listener = ChainListener(from: .init(anchor: 0), confirmations: Self.confirmations)
    func settle() {
      listener.poll()
      while let question = listener.question {
        _ = listener.take(chain.answer(question, rangeLimit: 100))
      }
    }
    settle()
    let anchor = listener.checkpoint.anchor
    let was = chain.blocks[Int(anchor)].hash
    chain.reorganise(depth: 20)
    // It is noticed after a restart too: the hash was kept.
    listener = ChainListener(from: listener.checkpoint, confirmations: Self.confirmations)
    settle()
    #expect(
      listener.halt
        == .finalBlockChanged(number: anchor, was: was, is: chain.blocks[Int(anchor)].hash))
    settle()
    #expect(listener.question == nil)
  }

  @Test func `a node that talks nonsense is not believed`() {
    var chain = FakeChain(seed: 6)
    chain.grow(3)
    var listener = ChainListener(from: .init(anchor: 0), confirmations: Self.confirmations)
    let nonsense: [ChainAnswer] = [
      .head(3), .block(nil), .block(ChainBlock(number: 99, hash: .zero, parent: .zero)),
      .logs([]), .rangeTooLong, .unknownBlock, .unavailable,
    ]
    var generator = SplitMix(state: 8)
    for _ in 0..<2_000 {
      listener.poll()
      guard listener.question != nil, let answer = nonsense.randomElement(using: &generator) else {
        continue
      }
      _ = listener.take(answer)
    }
    #expect(listener.checkpoint.recent.isEmpty)
    #expect(listener.checkpoint.anchor == 0)
  }
}
