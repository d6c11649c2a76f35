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
  var resumed = 0

  init(entry: Endpoint) { self.entry = entry }

  /// False: an event that the client has heard already.
  mutating func take(_ event: RunEvent) -> Bool {
    switch event {
    case .started(let job, _, _, _, _, _):
      defer { self.job = job }
      return self.job == nil
    case .token: shown += 1
    case .witnesses(let addresses): witnesses = addresses.compactMap { Endpoint($0) }
    case .fetching, .continued, .waiting, .finished, .failed: break
    }
    return true
  }

  /// Peers to ask, in order: the witnesses, then whoever was asked first. Empty: the job had not
  /// begun, or nobody keeps it.
  var places: [Endpoint] {
    job == nil || witnesses.isEmpty ? [] : witnesses + [entry]
  }
}
