// How many layers each group of peers gets as a pipeline stage, reckoned with an average layer.

/// Peers that might form a stage.
struct StageGroup {
  let members: [Candidate]
  /// An average layer, in nanoseconds.
  let layerTime: UInt64
  /// Bytes of all members together.
  let room: UInt64
  let rate: UInt64
  /// The clique's place by the order of appearance.
  let clique: Int
}

/// Deals the layers of one model to groups in the order of stages.
struct LayerDealer {
  let layers: Int
  /// Of an average layer.
  private let readBytes: UInt64
  private let residentBytes: UInt64
  private let sums: UInt64
  private let partialBytes: UInt64
  private let embeddingBytes: UInt64
  private let outputBytes: UInt64

  init(_ shape: ModelShape, _ work: StageWork) {
    layers = shape.layers.count
    let count = UInt64(max(1, layers))
    let (attention, feedForward) = (work.kinds.attention, work.kinds.feedForward)
    let read = Saturating.sum(attention.totalReadBytes, feedForward.totalReadBytes)
    readBytes = max(1, Saturating.sum(work.commonReadBytes, read) / count)
    residentBytes = max(
      1, Saturating.sum(attention.totalResidentBytes, feedForward.totalResidentBytes) / count)
    sums = Saturating.difference(work.synchronisations, 2) / count
    partialBytes = work.partialBytes
    embeddingBytes = shape.vocabulary.embeddingBytes.reduce(0, Saturating.sum)
    outputBytes = shape.vocabulary.outputBytes.reduce(0, Saturating.sum)
  }

  func group(_ members: [Candidate], clique: Int) -> StageGroup {
    let rate = members.reduce(0) { Saturating.sum($0, $1.rate) }
    let round = TokenEstimate.round(members, partialBytes: partialBytes)
    return StageGroup(
      members: members, layerTime: layerTime(rate: rate, round: round),
      room: members.reduce(0) { Saturating.sum($0, $1.room) }, rate: rate, clique: clique)
  }

  /// The k fastest of some peers of one clique, with the quickest layer.
  func quickest(_ peers: [Candidate], clique: Int) -> StageGroup {
    var best = (time: UInt64.max, count: 1)
    var (rate, wait, link) = (UInt64(0), UInt64(0), UInt64.max)
    for (index, peer) in peers.enumerated() {
      rate = Saturating.sum(rate, peer.rate)
      wait = max(wait, peer.wait(outside: false))
      link = min(link, peer.link(outside: false))
      let round = TokenEstimate.round(
        index + 1, wait: wait, link: link, partialBytes: partialBytes)
      let time = layerTime(rate: rate, round: round)
      if time < best.time { best = (time, index + 1) }
    }
    return group(Array(peers.prefix(best.count)), clique: clique)
  }

  private func layerTime(rate: UInt64, round: UInt64) -> UInt64 {
    max(
      1,
      Saturating.sum(
        TokenEstimate.reading(readBytes, at: rate), Saturating.product(sums, round)))
  }

  /// Layers of each group, at least one. For one job the quickest group gets as many as it holds,
  /// then the next, since stages work one after the other; `balanced`, each layer goes where the
  /// stage then takes the least, since with many jobs the slowest stage sets the pace. Nil where
  /// they do not fit.
  func deal(
    _ groups: [StageGroup], balanced isBalanced: Bool, roomPerMille: UInt64 = 1_000
  ) -> [Int]? {
    let caps = groups.indices.map { cap(of: $0, in: groups, roomPerMille) }
    guard caps.allSatisfy({ $0 > 0 }), groups.count <= layers else { return nil }
    var counts = [Int](repeating: 1, count: groups.count)
    for _ in groups.count..<layers {
      var next: (index: Int, cost: UInt64)?
      for index in groups.indices where counts[index] < caps[index] {
        let cost = isBalanced ? time(of: index, in: groups, counts) : groups[index].layerTime
        if cost < next?.cost ?? .max { next = (index, cost) }
      }
      guard let next else { return nil }
      counts[next.index] += 1
    }
    return counts
  }

  /// The most layers that a group holds beside embedding or output.
  private func cap(of index: Int, in groups: [StageGroup], _ roomPerMille: UInt64) -> Int {
    var room = groups[index].room
    if groups[index].members.count > 1 {
      room = Saturating.ratio(room, times: roomPerMille, over: 1_000).quotient
    }
    if index == 0 { room = Saturating.difference(room, embeddingBytes) }
    if index == groups.count - 1 { room = Saturating.difference(room, outputBytes) }
    return Int(clamping: room / residentBytes)
  }

  /// What a stage would take with a layer more.
  private func time(of index: Int, in groups: [StageGroup], _ counts: [Int]) -> UInt64 {
    let group = groups[index]
    let head =
      index == groups.count - 1 ? TokenEstimate.reading(outputBytes, at: group.rate) : 0
    return Saturating.sum(
      Saturating.product(UInt64(counts[index] + 1), group.layerTime), head)
  }
}
