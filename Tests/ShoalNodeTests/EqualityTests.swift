// The promise of canon-1: the same model and the same tokens give the same bits, whoever computes.

import ShoalInference
import ShoalProtocol
import Testing

@Suite struct EqualityTests {
  static let prompt: [UInt32] = [1, 17, 250, 3, 99, 42, 42, 7, 131]

  /// 1, 2, 3, 5 and 7 ranks, equal and uneven, some with nothing to compute.
  static let splits = [
    [1], [1, 1], [1, 1, 1], [1, 1, 1, 1, 1], [1, 1, 1, 1, 1, 1, 1], [7, 1], [5, 2, 1], [1, 0, 3],
    [0, 1], [9, 1, 4, 1, 1], [1, 30, 1, 1, 1, 0, 2],
  ]

  @Test(arguments: TinyLlama.all, KernelPath.available)
  func `every split on every kernel path has the digest of one rank on the reference`(
    _ shape: TinyLlama, _ kernel: KernelPath
  ) async throws {
    let engine = try Engine(shape.file().bytes)
    let alone = try await engine.generate(Self.prompt, count: 4, Dealing(kernel: .reference))
    for weights in Self.splits {
      for asCards in [false, true] where !asCards || weights == [1, 1, 1] {
        let dealing = Dealing(weights: weights, asCards: asCards, kernel: kernel)
        let outcome = try await engine.generate(Self.prompt, count: 4, dealing)
        #expect(outcome.digest == alone.digest, "\(dealing)")
        #expect(outcome.tokens == alone.tokens, "\(dealing)")
      }
    }
  }

  @Test(arguments: TinyLlama.all)
  func `prefill at once, in pieces and by steps, on one thread and on three, have one digest`(
    _ shape: TinyLlama
  ) async throws {
    let engine = try Engine(shape.file().bytes)
    let whole = try await engine.generate(Self.prompt, count: 4)
    for kernel in KernelPath.available {
      for dealing in [
        Dealing(kernel: kernel, batch: 1), Dealing(kernel: kernel, batch: 4),
        Dealing(kernel: kernel, threads: 3), Dealing(kernel: kernel, threads: 3, batch: 2),
        Dealing(weights: [3, 1], kernel: kernel, threads: 2, batch: 5),
      ] {
        let outcome = try await engine.generate(Self.prompt, count: 4, dealing)
        #expect(outcome.digest == whole.digest, "\(dealing)")
      }
    }
  }

  @Test func `a context beyond one chunk of attention keeps the digest`() async throws {
    let engine = try Engine(TinyLlama.smallest.file().bytes)
    let prompt = (0..<150).map { UInt32($0 * 7 % 61 + 3) }
    let whole = try await engine.generate(prompt, count: 3)
    for dealing in [
      Dealing(kernel: .reference), Dealing(batch: 1), Dealing(batch: 61),
      Dealing(weights: [1, 1, 1], threads: 2, batch: 64),
    ] {
      #expect(try await engine.generate(prompt, count: 3, dealing).digest == whole.digest)
    }
  }

  @Test func `sampled tokens are the same however the work is dealt`() async throws {
    let engine = try Engine(TinyLlama.all[1].file().bytes)
    var sampling = SamplingOptions()
    sampling.temperature = 1.5
    sampling.topK = 200
    sampling.seed = 12
    let alone = try await engine.generate(Self.prompt, count: 24, sampling: sampling)
    for weights in [[1, 1], [5, 2, 1], [1, 1, 1, 1, 1, 1, 1]] {
      let outcome = try await engine.generate(
        Self.prompt, count: 24, sampling: sampling, Dealing(weights: weights))
      #expect(outcome.tokens == alone.tokens)
      #expect(outcome.text == alone.text)
      #expect(outcome.digest == alone.digest)
    }
    #expect(Set(alone.tokens).count > 8, "sampling at 1.5 varies")
  }
}

/// A digest that never changed would prove nothing.
@Suite struct EqualityDigestTests {
  private static let prompt = EqualityTests.prompt

  @Test func `one bit of one weight changes the digest`() async throws {
    var file = try TinyLlama.smallest.file()
    let before = try await Engine(file.bytes).generate([1, 5, 9], count: 2)
    // The lowest bit of one int8 weight in the last layer.
    file.change("blk.1.ffn_down.weight") { $0.bytes[34 * 7 + 10] ^= 1 }
    let after = try await Engine(file.bytes).generate([1, 5, 9], count: 2)
    #expect(before.digest != after.digest)
  }

  @Test func `one token, its place or the number of tokens changes the digest`() async throws {
    let engine = try Engine(TinyLlama.smallest.file().bytes)
    var digests: Set<Bytes32> = []
    for prompt: [UInt32] in [[1, 5, 9], [1, 5, 10], [1, 9, 5], [5, 9], [1, 5, 9, 9]] {
      digests.insert(try await engine.generate(prompt, count: 2).digest)
    }
    digests.insert(try await engine.generate([1, 5, 9], count: 3).digest)
    #expect(digests.count == 6)
  }

  @Test func `another seed samples other tokens`() async throws {
    let engine = try Engine(TinyLlama.smallest.file().bytes)
    var digests: Set<Bytes32> = []
    for seed: UInt64 in 0..<4 {
      var sampling = SamplingOptions()
      sampling.temperature = 2
      sampling.seed = seed
      digests.insert(try await engine.generate([1, 5, 9], count: 12, sampling: sampling).digest)
    }
    #expect(digests.count == 4)
  }
}
