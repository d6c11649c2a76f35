// What a client must remember of a run to go on with it elsewhere.

import ShoalProtocol

/// Takes in events; says where to go when the peer is gone.
struct ResumableRun {
  private(set) var job: String?
  /// Tokens heard.
  private(set) var shown = 0
  /// The API that was asked first.
  private let entry: Endpoint
  private var witnesses: [Endpoint] = []
  /// Times that another peer was gone on with.
  private(set) var resumed = 0
  private var pauses = PauseWatch()

  init(entry: Endpoint) { self.entry = entry }

  /// False: an event that the client has heard already.
  mutating func take(_ event: RunEvent, at moment: Moment) -> Bool {
    switch event {
    case .started(let job, _, _, _, _, _):
      pauses.ready(at: moment)
      defer { self.job = job }
      if self.job != nil { resumed += 1 }
      return self.job == nil
    case .token:
      shown += 1
      pauses.token(at: moment)
    case .interrupted(let reason, _): pauses.lost(reason, at: moment)
    case .continued: pauses.ready(at: moment)
    case .witnesses(let addresses): witnesses = addresses.compactMap { Endpoint($0) }
    case .fetching, .waiting, .finished, .failed: break
    }
    return true
  }

  /// The peer that was listened to, or asked, is gone or no help.
  mutating func lost(_ error: ClientError, at moment: Moment) {
    pauses.lost(error.description, at: moment)
  }

  /// How long the next peer may be silent. Losing one after the other means that the machine is
  /// slow, and each change costs it a term more.
  func patience(_ least: Duration) -> Duration { least * min(4, 1 + resumed) }

  /// The end, as this client saw it.
  ///
  /// - Parameter last: what the peer says that came to it.
  func seen(_ last: RunResult) -> RunResult {
    last.seen(resumed: resumed, pauses: pauses.pauses)
  }

  /// Peers to ask, in order: the witnesses, then whoever was asked first. Empty: the job had not
  /// begun, or nobody keeps it.
  var places: [Endpoint] {
    job == nil || witnesses.isEmpty ? [] : witnesses + [entry]
  }
}
