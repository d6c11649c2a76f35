// When a change of the mesh becomes a new epoch, and so a new plan: once it has been quiet.

/// Waits for a view to be quiet for `quiet`, but not longer than `longest` after its first change;
/// then the local view stands. Never waits for a quorum, so both sides of a partition work on.
public struct EpochTracker: Sendable {
  public enum Event: Hashable, Sendable {
    /// A member came, went or was suspected, or a record changed.
    case changed
    case deadline
  }

  public enum Effect: Hashable, Sendable {
    /// This view stands until the next one.
    case epoch(MeshView)
  }

  public let quiet: Duration
  public let longest: Duration
  /// The view that stands; nil before the first.
  public private(set) var standing: MeshView?
  private var firstChange: Moment?
  private var lastChange: Moment?

  public init(quiet: Duration = .milliseconds(200), longest: Duration = .seconds(1)) {
    (self.quiet, self.longest) = (quiet, longest)
  }

  public var nextDeadline: Moment? {
    guard let firstChange, let lastChange else { return nil }
    return min(lastChange + quiet, firstChange + longest)
  }

  /// `view` is read when an epoch is due, so that a storm of changes hashes one view. A view that
  /// came back to what stands is no epoch.
  public mutating func handle(
    _ event: Event, at now: Moment, view: () -> MeshView
  ) -> [Effect] {
    var effects: [Effect] = []
    if let due = nextDeadline, due <= now {
      (firstChange, lastChange) = (nil, nil)
      let present = view()
      if present.id != standing?.id {
        standing = present
        effects = [.epoch(present)]
      }
    }
    switch event {
    case .changed where effects.isEmpty:
      firstChange = firstChange ?? now
      lastChange = now
    case .changed, .deadline:
      break
    }
    return effects
  }
}
