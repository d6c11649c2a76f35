// One rank's pay in one term, as the thread sees it that does the work or drives it.

internal import ShoalLedger
internal import ShoalProtocol
private import Synchronization

/// What such threads tell the accounts.
enum AccountEvent: Sendable {
  case worked(WorkSessionID, WorkChunk)
  case over(WorkSessionID)
  case counted(WorkSessionID, WorkChunk)
  case dismissed(WorkSessionID, asked: WorkAllowance?)
}

/// The rank's own side: counts what it did, and waits where more is owed than is lent.
final class ServedRank: Sendable {
  private struct State {
    var meter: WorkMeter
    var service: Service
    /// Chunks that the accounts have not taken in.
    var unheard = 0
    var isWaiting = false
  }

  let session: WorkSessionID
  private let state: Mutex<State>
  private let gate: any ThreadGate
  private let tell: @Sendable (AccountEvent) -> Void

  /// Chunks that may wait for the accounts, whose disk may be slow.
  private static let unheardLimit = 8
  /// A voucher comes within a round trip; a driver waits longer than this for a step.
  static let patience = Duration.milliseconds(100)

  init(
    session: WorkSessionID, meter: WorkMeter, service: Service, gate: any ThreadGate,
    tell: @escaping @Sendable (AccountEvent) -> Void
  ) {
    self.session = session
    self.gate = gate
    self.tell = tell
    state = Mutex(State(meter: meter, service: service))
  }

  /// On the rank's thread, after a step.
  func done(_ step: PaidStep, results: some Sequence<Bytes32>) {
    let chunk = state.withLock { state in
      let chunk = state.meter.add(step, results: results)
      if chunk != nil { state.unheard += 1 }
      return chunk
    }
    if let chunk { tell(.worked(session, chunk)) }
  }

  /// No step follows.
  func end() {
    if let chunk = state.withLock({ $0.meter.close() }) { tell(.worked(session, chunk)) }
    tell(.over(session))
  }

  /// The accounts have taken in a chunk, or a voucher.
  func update(_ service: Service, heard: Bool) {
    let isWaiting = state.withLock { state in
      state.service = service
      if heard { state.unheard = max(0, state.unheard - 1) }
      return state.isWaiting
    }
    if isWaiting { gate.signal() }
  }

  /// On the rank's thread, before a step: waits for a voucher where one is due. The failure says
  /// why the step is not to be taken.
  func interruption(_ clock: any MeshClock) -> JobFailure? {
    let deadline = clock.now() + Self.patience
    while true {
      let refusal = state.withLock { state -> JobFailure? in
        let refusal = state.service.refusal
        let isFull = state.unheard >= Self.unheardLimit
        state.isWaiting = refusal != nil || isFull
        return refusal ?? (isFull ? .creditExhausted(owed: 0, limit: 0) : nil)
      }
      guard let refusal else { return nil }
      guard clock.now() < deadline, gate.wait(until: deadline) else { return refusal }
    }
  }
}

/// The driver's side of one rank that it pays.
final class HiredRank: Sendable {
  private struct State {
    var meter: WorkMeter
    /// Steps that the rank has not answered, oldest first.
    var asked: [PaidStep] = []
  }

  let session: WorkSessionID
  let peer: PeerID
  private let state: Mutex<State>
  private let tell: @Sendable (AccountEvent) -> Void

  init(
    session: WorkSessionID, peer: PeerID, meter: WorkMeter,
    tell: @escaping @Sendable (AccountEvent) -> Void
  ) {
    self.session = session
    self.peer = peer
    self.tell = tell
    state = Mutex(State(meter: meter))
  }

  func asked(_ step: PaidStep) { state.withLock { $0.asked.append(step) } }

  func answered(_ results: some Sequence<Bytes32>) {
    let chunk = state.withLock { state -> WorkChunk? in
      guard !state.asked.isEmpty else { return nil }
      return state.meter.add(state.asked.removeFirst(), results: results)
    }
    if let chunk { tell(.counted(session, chunk)) }
  }

  /// The term is over. What was asked and not answered is paid for if it was done.
  func end() {
    let (chunk, allowance) = state.withLock { state -> (WorkChunk?, WorkAllowance?) in
      state.asked.isEmpty
        ? (state.meter.close(), nil) : (nil, state.meter.allowance(state.asked))
    }
    if let chunk { tell(.counted(session, chunk)) }
    tell(.dismissed(session, asked: allowance))
  }
}

/// All ranks of a term that are paid, for the entry's thread.
struct TermBill: Sendable {
  /// By rank; nil for one that is not paid.
  let ranks: [HiredRank?]
  /// Peers that were caught since.
  let caught: @Sendable (PeerID) -> Bool

  func asked(_ step: PaidStep) { for rank in ranks { rank?.asked(step) } }

  func answered(_ rank: Int, _ results: some Sequence<Bytes32>) {
    ranks[rank]?.answered(results)
  }

  func end() { for rank in ranks { rank?.end() } }

  /// Somebody is paid no longer, and the term goes on without it.
  func check() throws(TermEnd) {
    for rank in ranks {
      if let peer = rank?.peer, caught(peer) {
        throw TermEnd(.dishonest(peer), blamed: [peer])
      }
    }
  }
}

extension Service {
  /// Why a rank takes no further step; nil: it does.
  fileprivate var refusal: JobFailure? {
    switch self {
    case .goesOn: nil
    case .waits(let owed, let window):
      .creditExhausted(owed: UInt64(clamping: owed.units), limit: UInt64(clamping: window.units))
    case .ceilingReached(let ceiling):
      .creditExhausted(
        owed: UInt64(clamping: ceiling.units), limit: UInt64(clamping: ceiling.units))
    case .closing, .ledgerUnseen: .creditExhausted(owed: 0, limit: 0)
    }
  }
}
