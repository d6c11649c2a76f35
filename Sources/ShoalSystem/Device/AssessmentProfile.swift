// From an assessment to the profile that a peer goes by, and where it is kept.

import ShoalInference
public import ShoalNode
public import ShoalProtocol

extension Assessment {
  /// The document of a data directory that holds its device's profile.
  public static let profileName = "profile.toml"

  /// - Parameters:
  ///   - id: the name of the profile's file, less `.toml`.
  ///   - usableMemory: what Shoal may use; nil: half of what is free now.
  public func profile(id: String = "profile", usableMemory: ByteCount? = nil) -> DeviceProfile {
    let half = max(1, facts.availableMemory.bytes / 2)
    let prior =
      hasBattery && network.kind != .ethernet
      ? LatencyPrior.mobileMicroseconds : LatencyPrior.desktopMicroseconds
    return DeviceProfile(
      id: id, deviceClass: deviceClass, memory: facts.memory,
      usableMemory: min(usableMemory ?? ByteCount(half), facts.memory),
      decodeBytesPerSecond: decodeBytesPerSecond,
      prefillOperationsPerSecond: prefillOperationsPerSecond,
      link: LinkProfile(
        kind: network.kind, bytesPerSecond: linkBytesPerSecond,
        latencyMicroseconds: UInt64(max(0, (loopback?.roundTrip.nanoseconds ?? 0) / 2_000)),
        latencyPriorMicroseconds: prior),
      disk: ByteCount(freeDisk.bytes / 2))
  }

  /// `profile` as a file, with where each figure comes from.
  public func profileText(id: String = "profile", usableMemory: ByteCount? = nil) -> String {
    profile(id: id, usableMemory: usableMemory).fileText(
      comment: "This device, as `shoal assess` found it. Keys, units and tags: Peers/README.md.",
      sources: sources(usableMemoryIsGiven: usableMemory != nil))
  }

  /// Keeps the profile in a data directory.
  public func store(
    in documents: some DocumentStore, usableMemory: ByteCount? = nil
  ) throws -> DeviceProfile {
    let text = profileText(usableMemory: usableMemory)
    try documents.write(Self.profileName, Array(text.utf8), isSecret: false)
    return profile(usableMemory: usableMemory)
  }

  /// The profile that a data directory keeps; where there is none, the device is measured and the
  /// outcome kept.
  ///
  /// - Parameter measuring: called before a measurement begins.
  public static func storedProfile(
    in documents: DirectoryDocuments, measuring: () -> Void = {}
  ) async throws -> DeviceProfile {
    let file = "\(documents.path)/\(profileName)"
    if try documents.read(profileName) != nil { return try DeviceProfile(file: file) }
    measuring()
    return try await measure(in: documents.path).store(in: documents)
  }

  private var deviceClass: String {
    let cores = "\(facts.cores) core\(facts.cores == 1 ? "" : "s")"
    return facts.processor.isEmpty ? cores : "\(facts.processor), \(cores)"
  }

  /// What such a link delivers where the system names no rate; never more than loopback does.
  private var linkBytesPerSecond: UInt64 {
    let prior: UInt64 =
      switch network.kind {
      case .ethernet: DeviceCapacity.lanBytesPerSecond
      // The figures of the profiles in Peers/.
      case .wifi: 40_000_000
      case .cellular: 10_000_000
      }
    return max(1, min(network.bytesPerSecond ?? prior, loopback?.bytesPerSecond ?? .max))
  }

  private func sources(usableMemoryIsGiven: Bool) -> [String: String] {
    let measured = "measured by shoal assess: \(kernel.rawValue) kernels, \(threads) threads"
    var sources: [String: String] = [
      "memory.total_bytes": "measured by shoal assess: what the system says",
      "memory.usable_bytes": usableMemoryIsGiven
        ? "design: as told" : "design: half of what was free at the assessment",
      "compute.prefill_operations_per_second": "\(measured), q8_0, 64 tokens",
      "link.kind": "measured by shoal assess: what the system says",
      "link.bytes_per_second": network.bytesPerSecond == nil
        ? "estimate: the system names no rate; what such a link usually delivers"
        : "measured by shoal assess: the rate of \(network.interface), less headers",
      "link.latency_microseconds": loopback == nil
        ? "estimate: not looked at"
        : "measured by shoal assess: half a round trip over loopback; a network adds its own",
      "link.latency_prior_microseconds":
        "design: latency compensation: 10 ms desktop, 50 ms mobile",
      "storage.disk_bytes": "design: half of what was free at the assessment",
    ]
    for precision in AtomPrecision.allCases {
      sources["compute.decode_\(precision.name)_bytes_per_second"] = measured
    }
    return sources
  }
}
