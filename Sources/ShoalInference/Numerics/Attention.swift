// Attention of one query head over its KV group, chunk by chunk: the bits do not depend on how many
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
}

extension Kernels {
  /// Floats of scratch that `attend` needs.
  public static func attentionScratch(headDim: Int) -> Int {
    AttentionState.weighted + (headDim + 15) & ~15
  }

  /// out = softmax(scale * query . keys) . values over the positions `visible`.
  ///
  /// - Parameters:
  ///   - query: (headDim), already turned by its position.
  ///   - visible: not empty and within what the cache holds.
  ///   - softCap: above 0, a score s becomes softCap * tanh(s / softCap) (Gemma 2).
  ///   - scratch: `attentionScratch(headDim:)` floats that this call owns.
  ///   - out: (headDim); may be `query`.
  public func attend(
    _ query: UnsafePointer<Float>, over cache: KVCache, visible: Range<Int>, scale: Float,
    softCap: Float = 0, scratch: UnsafeMutablePointer<Float>, into out: UnsafeMutablePointer<Float>
  ) {
    precondition(
      !visible.isEmpty && visible.lowerBound >= 0 && visible.upperBound <= cache.count,
      "visible \(visible) of \(cache.count) positions")
    unsafe scratch[AttentionState.largest] = -.infinity
    unsafe scratch[AttentionState.sum] = 0
    let weighted = unsafe scratch + AttentionState.weighted
    for d in 0..<cache.valueStride { unsafe weighted[d] = 0 }
    let size = KVCache.chunkPositions
    for index in visible.lowerBound / size...(visible.upperBound - 1) / size {
      let first = max(visible.lowerBound - index * size, 0)
      let last = min(visible.upperBound - index * size, size)
      unsafe scan(
        cache, chunk: index, lanes: first..<last, query, scale: scale, softCap: softCap, scratch)
    }
    let sum = unsafe scratch[AttentionState.sum]
    for d in 0..<cache.headDim { unsafe out[d] = weighted[d] / sum }
  }

  private func scan(
    _ cache: KVCache, chunk: Int, lanes: Range<Int>, _ query: UnsafePointer<Float>, scale: Float,
    softCap: Float, _ state: UnsafeMutablePointer<Float>
  ) {
    if let vectors = unsafe vectors {
      let (keys, values) = unsafe cache.chunk(chunk)
      let attend =
        switch cache.type {
        case .f16: unsafe vectors.pointee.attend_f16
        case .f32: unsafe vectors.pointee.attend_f32
        }
      return unsafe attend(
        query, keys, values, cache.headDim, lanes.lowerBound, lanes.upperBound, scale, softCap,
        state)
    }
    unsafe AttentionReference.scan(
      cache, chunk: chunk, lanes: lanes, query, scale: scale, softCap: softCap, state)
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
