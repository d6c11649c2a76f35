// What `assess --json` prints. Others rely on these names.

import ShoalInference
import ShoalProtocol
import ShoalSystem

struct AssessOutput: Encodable {
  struct Disk: Encodable {
    let writeBytesPerSecond: UInt64
    let readBytesPerSecond: UInt64
  }
  struct Loopback: Encodable {
    let bytesPerSecond: UInt64
    let roundTripMicroseconds: Double
  }
  struct Link: Encodable {
    let interface: String
    let kind: String
    let bytesPerSecond: UInt64
    /// False where the system names no rate and a usual one is assumed.
    let isKnown: Bool
  }

  let processor: String
  let cores: Int
  let threads: Int
  let memoryBytes: UInt64
  let availableBytes: UInt64
  let usableBytes: UInt64
  let kernels: [String]
  let decodeBytesPerSecond: [String: UInt64]
  let prefillOperationsPerSecond: UInt64
  let disk: Disk?
  let freeDiskBytes: UInt64
  let loopback: Loopback?
  let link: Link
  let seconds: Double
  let profile: String

  init(_ assessment: Assessment, _ profile: DeviceProfile, path: String) {
    processor = assessment.facts.processor
    cores = assessment.facts.cores
    threads = assessment.threads
    memoryBytes = assessment.facts.memory.bytes
    availableBytes = assessment.facts.availableMemory.bytes
    usableBytes = profile.usableMemory.bytes
    kernels = KernelPath.available.map(\.rawValue)
    let rates = AtomPrecision.allCases.map { ($0.name, assessment.decodeBytesPerSecond[$0]) }
    decodeBytesPerSecond = Dictionary(uniqueKeysWithValues: rates)
    prefillOperationsPerSecond = assessment.prefillOperationsPerSecond
    disk = assessment.disk.map {
      Disk(
        writeBytesPerSecond: $0.writeBytesPerSecond, readBytesPerSecond: $0.readBytesPerSecond)
    }
    freeDiskBytes = assessment.freeDisk.bytes
    loopback = assessment.loopback.map {
      Loopback(
        bytesPerSecond: $0.bytesPerSecond,
        roundTripMicroseconds: Double($0.roundTrip.nanoseconds) / 1e3)
    }
    link = Link(
      interface: assessment.network.interface, kind: profile.link.kind.rawValue,
      bytesPerSecond: profile.link.bytesPerSecond,
      isKnown: assessment.network.bytesPerSecond != nil)
    seconds = assessment.duration.inSeconds
    self.profile = path
  }
}
