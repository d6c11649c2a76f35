// Attention of query heads over their KV group, chunk by chunk: the bits do not depend on how many
// queries, peers or steps there are (numerics, rule 7).

import CKernels

/// The running state of a scan (online softmax: Milakov & Gimelshein 2018), in the caller's
/// scratch:
///
///     0..<64   probabilities of the chunk at hand
///     64       the largest score so far
///     65       the sum of exponentials so far
///     80...    the weighted sum of values, `headDim` rounded up to 16
enum AttentionState {
  static let largest = 64
  static let sum = 65
  static let weighted = 80

  static func clear(_ state: UnsafeMutablePointer<Float>, valueStride: Int) {
    unsafe state[largest] = -.infinity
    unsafe state[sum] = 0
    for d in 0..<valueStride { unsafe state[weighted + d] = 0 }
  }
}

extension Kernels {
  /// Floats of scratch that `attend` needs.
  public static func attentionScratch(headDim: Int) -> Int {
    AttentionState.weighted + (headDim + 15) & ~15
  }

  /// out = softmax(scale * query . keys) . values for each query, over the positions it sees. One
  /// call for the heads of a group and the tokens of a batch reads each key and value once.
  ///
  /// - Parameters:
  ///   - softCap: above 0, a score s becomes softCap * tanh(s / softCap) (Gemma 2).
  public func attend(
    _ queries: UnsafeBufferPointer<AttentionQuery>, over cache: KVCache, scale: Float,
    softCap: Float = 0
  ) {
    guard let first = unsafe queries.first?.visible else { return }
    var (low, high) = (first.lowerBound, first.upperBound)
    for index in 0..<queries.count {
      let query = unsafe queries[index]
      precondition(
        !query.visible.isEmpty && query.visible.lowerBound >= 0
          && query.visible.upperBound <= cache.count,
        "visible \(query.visible) of \(cache.count) positions")
      unsafe AttentionState.clear(query.scratch, valueStride: cache.valueStride)
      low = min(low, query.visible.lowerBound)
      high = max(high, query.visible.upperBound)
    }
    let size = KVCache.chunkPositions
    unsafe withUnsafeTemporaryAllocation(of: shoal_query.self, capacity: queries.count) { some in
      for chunk in low / size...(high - 1) / size {
        var count = 0
        for index in 0..<queries.count {
          let query = unsafe queries[index]
          let lanes = query.visible.clamped(to: chunk * size..<(chunk + 1) * size)
          if lanes.isEmpty { continue }
          unsafe some.initializeElement(
            at: count,
            to: shoal_query(
              query: query.query, state: query.scratch,
              first: Int32(lanes.lowerBound - chunk * size),
              last: Int32(lanes.upperBound - chunk * size)))
          count += 1
        }
        unsafe scan(
          cache, chunk: chunk, UnsafeBufferPointer(rebasing: some[..<count]), scale: scale,
          softCap: softCap)
      }
    }
    for index in 0..<queries.count {
      let query = unsafe queries[index]
      let sum = unsafe query.scratch[AttentionState.sum]
      let weighted = unsafe query.scratch + AttentionState.weighted
      for d in 0..<cache.headDim { unsafe query.out[d] = weighted[d] / sum }
    }
  }

  /// The same for one query.
  ///
  /// - Parameters:
  ///   - query: (headDim), already turned by its position.
  ///   - visible: not empty and within what the cache holds.
  ///   - scratch: `attentionScratch(headDim:)` floats that this call owns.
  ///   - out: (headDim); may be `query`.
  public func attend(
    _ query: UnsafePointer<Float>, over cache: KVCache, visible: Range<Int>, scale: Float,
    softCap: Float = 0, scratch: UnsafeMutablePointer<Float>, into out: UnsafeMutablePointer<Float>
  ) {
    let query = unsafe AttentionQuery(query: query, visible: visible, scratch: scratch, out: out)
    unsafe withUnsafePointer(to: query) { query in
      unsafe attend(
        UnsafeBufferPointer(start: query, count: 1), over: cache, scale: scale, softCap: softCap)
    }
  }

  private func scan(
    _ cache: KVCache, chunk: Int, _ queries: UnsafeBufferPointer<shoal_query>, scale: Float,
    softCap: Float
  ) {
    guard let start = queries.baseAddress else { return }
    if let vectors = unsafe vectors {
      let (keys, values) = unsafe cache.chunk(chunk)
      let attend =
        switch cache.type {
        case .f16: unsafe vectors.pointee.attend_f16
        case .f32: unsafe vectors.pointee.attend_f32
        }
      return unsafe attend(start, queries.count, keys, values, cache.headDim, scale, softCap)
    }
    for index in 0..<queries.count {
      let query = unsafe queries[index]
      unsafe AttentionReference.scan(
        cache, chunk: chunk, lanes: Int(query.first)..<Int(query.last), query.query, scale: scale,
        softCap: softCap, query.state)
    }
  }
}

/// One head of one token.
@safe public struct AttentionQuery {
  /// (headDim), already turned by its position.
  public let query: UnsafePointer<Float>
  /// Not empty and within what the cache holds.
  public let visible: Range<Int>
  /// `attentionScratch(headDim:)` floats that no other query uses.
  public let scratch: UnsafeMutablePointer<Float>
  /// (headDim); may be `query`.
  public let out: UnsafeMutablePointer<Float>

  public init(
    query: UnsafePointer<Float>, visible: Range<Int>, scratch: UnsafeMutablePointer<Float>,
    out: UnsafeMutablePointer<Float>
  ) {
    unsafe self.query = unsafe query
    self.visible = visible
    unsafe self.scratch = unsafe scratch
    unsafe self.out = unsafe out
  }
}

/// One chunk in plain Swift: the definition.
enum AttentionReference {
  static func scan(
    _ cache: KVCache, chunk: Int, lanes: Range<Int>, _ query: UnsafePointer<Float>, scale: Float,
    softCap: Float, _ state: UnsafeMutablePointer<Float>
  ) {
    let (keys, values) = unsafe cache.chunk(chunk)
    var largest = unsafe state[AttentionState.largest]
    for j in lanes {
      // (headDim) . (headDim, 64): ascending in headDim
      var score: Float = 0
      for d in 0..<cache.headDim {
        let key = unsafe element(keys, d * KVCache.chunkPositions + j, cache.type)
        score = unsafe score.addingProduct(query[d], key)
      }
      score *= scale
      if softCap > 0 { score = softCap * Canon.tanh(score / softCap) }
      unsafe state[j] = score
      if score > largest { largest = score }
    }
    let correction = unsafe Canon.exp(state[AttentionState.largest] - largest)
    for j in 0..<KVCache.chunkPositions {
      unsafe state[j] = lanes.contains(j) ? Canon.exp(state[j] - largest) : 0
    }
    let total = RowReference.lanes(KVCache.chunkPositions) { lane, j in
      unsafe lane + state[j]
    }
    unsafe state[AttentionState.largest] = largest
    unsafe state[AttentionState.sum] = total.addingProduct(
      state[AttentionState.sum], correction)
    for d in 0..<cache.headDim {
      var weighted = unsafe state[AttentionState.weighted + d] * correction
      for j in lanes {
        let value = unsafe element(values, j * cache.valueStride + d, cache.type)
        weighted = unsafe weighted.addingProduct(state[j], value)
      }
      unsafe state[AttentionState.weighted + d] = weighted
    }
  }

  private static func element(_ start: UnsafeRawPointer, _ index: Int, _ type: KVType) -> Float {
    switch type {
    case .f16:
      unsafe Half.float(start.load(fromByteOffset: 2 * index, as: UInt16.self))
    case .f32: unsafe start.load(fromByteOffset: 4 * index, as: Float.self)
    }
  }
}
