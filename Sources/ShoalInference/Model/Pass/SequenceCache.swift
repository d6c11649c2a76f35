// What one sequence leaves behind for its next tokens: keys and values, or states.

internal import ShoalProtocol

/// The past of one sequence in the layers of one stage. Made by a pass (`makeSequence`) and used by
/// that pass alone; memory is taken when it is made.
public final class SequenceCache {
  /// Positions that it has room for.
  public private(set) var context: Int
  /// (layers of the stage, groups)
  let caches: StageLayers<[KVCache]>
  /// Angles for `context`: scalings that depend on length take the sequence's limit.
  private(set) var rotaries: [RotaryTable]
  /// (layers of the stage, blocks): (kernel - 1, channels), oldest first, then (state, channels);
  /// empty rows where the model is not recurrent.
  let states: StageLayers<[Buffer<Float>]>
  private let isRecurrent: Bool
  /// Tokens that the states have taken in.
  private var taken = 0

  init(
    context: Int, rotaries: [RotaryTable], caches: StageLayers<[KVCache]>,
    states: StageLayers<[Buffer<Float>]>
  ) {
    self.context = context
    self.rotaries = rotaries
    self.caches = caches
    self.states = states
    isRecurrent = states.contains { !$0.isEmpty }
    reserve()
  }

  /// Positions that memory has been taken for: no fewer than `context`.
  public var capacity: Int { caches.first?.first?.capacity ?? context }

  /// Begins another sequence in this memory.
  func renew(context: Int, rotaries: [RotaryTable]) {
    self.context = context
    self.rotaries = rotaries
    reserve()
  }

  private func reserve() {
    for layer in caches { for cache in layer { cache.reserve(positions: context) } }
  }

  /// Takes over what `other` holds of its first `positions`. False: that would be others' bits.
  func begin(with positions: Int, of other: SequenceCache) -> Bool {
    let isAlike = zip(rotaries, other.rotaries).allSatisfy { $0.hasAngles(of: $1) }
    guard !isRecurrent, isAlike, positions <= context else { return false }
    for (layer, theirs) in zip(caches, other.caches) {
      for (cache, their) in zip(layer, theirs) {
        guard positions <= their.count else { return false }
        cache.copy(positions, of: their)
      }
    }
    return true
  }

  /// States go on from where they are, or begin anew.
  func enter(position: Int, count: Int) {
    guard isRecurrent else { return }
    if position == 0 {
      taken = 0
      for layer in states { for state in layer { state.clear(count: state.count, to: 0) } }
    }
    precondition(position == taken, "a state knows one past only")
    taken += count
  }
}

extension ForwardPass {
  /// An empty sequence of at most `context` positions.
  public func makeSequence(context: Int) -> SequenceCache {
    precondition(context > 0)
    let dimension = shape.attention.headDimension
    return SequenceCache(
      context: context, rotaries: attention.tables(positions: context),
      caches: StageLayers(
        from: layers.lowerBound,
        layers.map { _ in
          model.groups.map { _ in
            KVCache(headDim: dimension, type: shape.attention.keyValueType)
          }
        }),
      states: StageLayers(
        from: layers.lowerBound, layers.map { _ in recurrent?.makeStates() ?? [] }))
  }

  /// Makes an empty sequence of the memory of one that nobody needs any more.
  public func renew(_ sequence: SequenceCache, context: Int) {
    precondition(context > 0)
    sequence.renew(context: context, rotaries: attention.tables(positions: context))
  }
}
