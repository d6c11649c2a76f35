// What this device can do, in a few seconds: what its system says, and what the loops that run
// models reach here.

import Foundation
public import ShoalInference
public import ShoalProtocol

/// One look at a device. `profile` is what other rooms go by.
public struct Assessment: Sendable {
  public enum Depth: Sendable {
    /// Kernels, disk and loopback.
    case full
    /// Kernels only, each for a fifth of the time.
    case quick
  }

  public let facts: DeviceFacts
  public let network: NetworkFacts
  public let hasBattery: Bool
  /// The path that was measured; others that this machine has are in `KernelPath.available`.
  public let kernel: KernelPath
  public let threads: Int
  public let decodeBytesPerSecond: PrecisionRates
  public let prefillOperationsPerSecond: UInt64
  /// Nil where not looked at, as for `loopback`.
  public let disk: DiskSpeed?
  public let freeDisk: ByteCount
  public let loopback: LoopbackSpeed?
  /// What the assessment took.
  public let duration: Duration

  /// Measures. Other work on the machine lowers the figures: they say what it delivers now.
  ///
  /// - Parameters:
  ///   - folder: whose disk is measured; it must be there.
  ///   - budget: about what all takes together; the disk alone may take a second.
  ///   - threads: nil: one for each core that this process may use.
  /// - Throws: `SystemCallError`, `ListenError`, `LinkError`; `MatrixError` never in practice.
  public static func measure(
    in folder: String, budget: Duration = .seconds(4), depth: Depth = .full, threads: Int? = nil
  ) async throws -> Assessment {
    let start = SystemClock().now()
    let facts = DeviceProbe.facts()
    let threads = max(1, threads ?? facts.cores)
    let turn = depth == .full ? budget / 12 : budget / 60
    let ends = depth == .full ? try await LoopbackProbe.connect() : nil
    // Kernels and sockets block: a thread of their own, never the shared pool.
    let thread = ThreadExecutor(name: "shoal-assess")
    defer { thread.stop() }
    return try await withTaskExecutorPreference(thread) {
      try await blocking {
        let rates = try rates(facts, threads: threads, turn: turn)
        return Assessment(
          facts: facts, network: NetworkFacts.current(), hasBattery: NetworkFacts.hasBattery(),
          kernel: .best, threads: threads, decodeBytesPerSecond: rates.decode,
          prefillOperationsPerSecond: rates.prefill,
          disk: depth == .full ? try DiskProbe.measure(in: folder) : nil,
          freeDisk: freeDisk(folder), loopback: try ends.map { try LoopbackProbe.measure($0) },
          duration: SystemClock().now() - start)
      }
    }
  }

  private static func rates(
    _ facts: DeviceFacts, threads: Int, turn: Duration
  ) throws -> (decode: PrecisionRates, prefill: UInt64) {
    let probe = try KernelProbe(memory: facts.availableMemory, threads: threads)
    var decode = PrecisionRates()
    for precision in AtomPrecision.allCases {
      decode[precision] = try probe.bytesPerSecond(precision.weightFormat, for: turn)
    }
    return (decode, try probe.operationsPerSecond(for: turn))
  }

  private static func freeDisk(_ folder: String) -> ByteCount {
    let attributes = try? FileManager.default.attributesOfFileSystem(forPath: folder)
    let free = attributes?[.systemFreeSize] as? NSNumber
    return ByteCount(free?.uint64Value ?? 0)
  }
}

@concurrent private func blocking<Result: Sendable>(
  _ body: @Sendable () throws -> Result
) async throws -> Result { try body() }

extension AtomPrecision {
  fileprivate var weightFormat: WeightFormat {
    switch self {
    case .f32: .f32
    case .f16: .f16
    case .q8_0: .q8_0
    case .q4_0: .q4_0
    }
  }
}
