// One phase of a layer: products that the workers share, cut into pieces that they take in turn.

internal import Synchronization

/// Products between two joins, in the order that memory is to be read.
///
/// Pieces shrink towards the end (guided self-scheduling: Polychronopoulos & Kuck 1987): long runs
/// of memory at first, and nobody waits long for another at last.
final class ProductPhase {
  /// Row groups of some products, one after the other.
  @safe struct Call {
    /// Which of the phase's bundles.
    let bundle: Int
    let products: Range<Int>
    let groups: Range<Int>
    /// Where the same thread is likely to read on.
    fileprivate(set) var next: UnsafeRawPointer?
    /// The same where one thread takes all pieces.
    fileprivate(set) var nextAlone: UnsafeRawPointer?
  }

  let list: ProductList
  private(set) var calls: [Call] = []
  /// Calls of each piece.
  private(set) var pieces: [Range<Int>] = []
  private let workers: Int

  /// A piece that is worth a ticket: some microseconds of one core's memory bandwidth.
  private static let leastBytes = 64 << 10

  /// - Parameters:
  ///   - bundles: consecutive products of the list that have the same rows and are made together.
  ///   - rowMultiple: row groups that are not parted.
  init(_ list: ProductList, bundles: [Range<Int>], rowMultiple: Int = 1, workers: Int) {
    self.list = list
    self.workers = workers
    let strides = bundles.map { $0.reduce(0) { $0 + list.shape($1).groupStride } }
    let groups = bundles.map { $0.first.map { list.shape($0).groups } ?? 0 }
    var left = zip(strides, groups).reduce(0) { $0 + $1.0 * $1.1 }
    var (bundle, first, start) = (0, 0, 0)
    var room = pieceBytes(left)
    while bundle < bundles.count {
      let wanted = (room + strides[bundle] - 1) / strides[bundle]
      let taken = min(
        groups[bundle] - first, (wanted + rowMultiple - 1) / rowMultiple * rowMultiple)
      calls.append(
        unsafe Call(
          bundle: bundle, products: bundles[bundle], groups: first..<first + taken, next: nil,
          nextAlone: nil))
      room -= taken * strides[bundle]
      left -= taken * strides[bundle]
      first += taken
      if first == groups[bundle] { (bundle, first) = (bundle + 1, 0) }
      if room <= 0 || bundle == bundles.count {
        pieces.append(start..<calls.count)
        start = calls.count
        room = pieceBytes(left)
      }
    }
  }

  /// All products of a list on their own.
  static func each(_ list: ProductList, workers: Int) -> ProductPhase {
    ProductPhase(list, bundles: list.indices.map { $0..<$0 + 1 }, workers: workers)
  }

  /// All products of a list, which have the same rows and add to the same sums.
  static func together(_ list: ProductList, workers: Int) -> ProductPhase {
    ProductPhase(list, bundles: list.count == 0 ? [] : [0..<list.count], workers: workers)
  }

  private func pieceBytes(_ left: Int) -> Int {
    workers == 1 ? .max / 2 : max(Self.leastBytes, left / (2 * workers))
  }

  /// Lets each call fetch ahead what its thread will probably read next: workers take pieces in
  /// turn, and then those of `following`.
  func link(to following: ProductPhase?) {
    for call in calls.indices {
      unsafe calls[call].nextAlone =
        call + 1 < calls.count ? address(ofCall: call + 1) : following?.address(ofPiece: 0)
    }
    for (number, piece) in pieces.enumerated() {
      for call in piece.dropLast() { unsafe calls[call].next = address(ofCall: call + 1) }
      let after = number + workers
      unsafe calls[piece.upperBound - 1].next =
        after < pieces.count
        ? address(ofPiece: after) : following?.address(ofPiece: after - pieces.count)
    }
  }

  private func address(ofPiece piece: Int) -> UnsafeRawPointer? {
    pieces.indices.contains(piece) ? unsafe address(ofCall: pieces[piece].lowerBound) : nil
  }

  private func address(ofCall call: Int) -> UnsafeRawPointer {
    unsafe list.address(calls[call].products.lowerBound, group: calls[call].groups.lowerBound)
  }
}

extension ForwardPass {
  /// Makes the products of a phase for all tokens of the step. `then` follows each call on its
  /// thread.
  func run(
    _ phase: ProductPhase, tokens: Int, layer: Int,
    then: (_ bundle: Int, _ groups: Range<Int>) -> Void = { _, _ in }
  ) {
    let isShared = workers.isSharing
    forEach(phase.pieces.count) { piece in
      for index in phase.pieces[piece] {
        let call = phase.calls[index]
        do {
          try unsafe kernels.multiply(
            phase.list, call.products, tokens: tokens, groups: call.groups,
            next: isShared ? call.next : call.nextAlone)
        } catch {
          trouble.store(1 + layer, ordering: .relaxed)
        }
        then(call.bundle, call.groups)
      }
    }
  }
}
