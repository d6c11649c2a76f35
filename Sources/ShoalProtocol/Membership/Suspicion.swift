// How long a suspect has to deny: long while one peer alone suspects it, shorter with each other.

/// Lifeguard's local-health-aware suspicion (Dadgar et al. 2018, section III.B): the wait starts
/// long and falls with the logarithm of the number of independent observers.
struct Suspicion: Hashable, Sendable {
  let startedAt: Moment
  let least: Duration
  let most: Duration
  /// How many observers beside the first bring the wait down to the least.
  let expected: Int
  /// As many as shorten a wait in a large mesh are kept: the cut filter counts them in a small one.
  let mostObservers: Int
  /// Sorted, the first one included.
  private(set) var observers: [PeerID]

  init(
    by observer: PeerID, at now: Moment, peers: Int, configuration: MembershipConfiguration
  ) {
    startedAt = now
    least = configuration.leastSuspicion(peers: peers)
    // With fewer others than K nobody can confirm, so the least wait holds at once.
    expected = peers - 2 < configuration.confirmations ? 0 : configuration.confirmations
    mostObservers = configuration.confirmations + 1
    most = expected == 0 ? least : least * configuration.loneSuspicionFactor
    observers = [observer]
  }

  /// False if that observer is known, or enough are.
  func counts(_ observer: PeerID) -> Bool {
    observers.count < mostObservers && !observers.contains(observer)
  }

  /// Takes in one that counts.
  mutating func confirm(by observer: PeerID) -> Bool {
    guard counts(observer) else { return false }
    observers.append(observer)
    observers.sort()
    return true
  }

  /// When silence becomes death.
  var deadline: Moment {
    guard expected > 0 else { return startedAt + least }
    let share = IntegerLogarithm.log2(observers.count) * 1_000 / IntegerLogarithm.log2(expected + 1)
    return startedAt + max(least, most - (most - least) * share / 1_000)
  }
}
