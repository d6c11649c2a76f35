// Which generations there are, for whoever looks.

import ShoalLedger
import ShoalNode
import ShoalProtocol
import Synchronization

final class JobBoard: Sendable {
  private struct Entry {
    var facts: JobFacts
    var trace: JobTrace
    let start: Moment
    var firstToken: Moment?
    var lastToken: Moment?
  }

  private struct State {
    var entries: [UInt64: Entry] = [:]
    var numbers: UInt64 = 0
  }

  private let state = Mutex(State())

  /// Puts up a generation that was asked for. The number names it from now on.
  func open(model: String, at now: Moment, unixMilliseconds: UInt64) -> UInt64 {
    var generator = SystemRandomNumberGenerator()
    let trace = JobTrace(
      model: model, start: now, unixMilliseconds: unixMilliseconds,
      ids: (0..<8).map { _ in generator.next() })
    return state.withLock { state in
      state.numbers += 1
      state.entries[state.numbers] = Entry(
        facts: JobFacts(model: model), trace: trace, start: now)
      return state.numbers
    }
  }

  func hasTurn(_ number: UInt64, at now: Moment) {
    state.withLock { state in
      state.entries[number]?.facts.state = "starting"
      state.entries[number]?.trace.hasTurn(at: now)
    }
  }

  /// Takes it down, and hands out what was noted of it.
  func close(_ number: UInt64) -> JobTrace? {
    state.withLock { $0.entries.removeValue(forKey: number)?.trace }
  }

  func note(_ number: UInt64, _ event: GenerationEvent, at moment: Moment) {
    state.withLock { state in
      guard var entry = state.entries[number] else { return }
      entry.trace.note(event, at: moment)
      switch event {
      case .fetching, .witnesses, .interrupted: break
      case .started(let job, let model, _, let members, let promptTokens):
        entry.facts.id = String(job.raw.hex.prefix(8))
        entry.facts.model = model.name
        entry.facts.state = "running"
        entry.facts.promptTokens = promptTokens.count
        entry.facts.peers = members.map { RunResult.Member($0) }
        entry.facts.terms = 1
      case .continued(_, _, let members):
        entry.facts.peers = members.map { RunResult.Member($0) }
        entry.facts.terms += 1
      case .token:
        entry.facts.tokens += 1
        entry.firstToken = entry.firstToken ?? moment
        entry.lastToken = moment
      }
      state.entries[number] = entry
    }
  }

  /// In the order in which they were asked for.
  func facts(at now: Moment) -> [JobFacts] {
    let entries = state.withLock { $0.entries }
    return entries.sorted { $0.key < $1.key }.map { _, entry in
      var facts = entry.facts
      facts.seconds = (now - entry.start).inSeconds
      if let first = entry.firstToken, let last = entry.lastToken, last > first {
        facts.tokensPerSecond = Double(facts.tokens - 1) / (last - first).inSeconds
      }
      return facts
    }
  }
}
