// What a device's profile makes its peer say.

import Foundation
import ShoalInference
import ShoalProtocol
import ShoalSecurity
import ShoalSystem

extension CapabilityRecord {
  /// - Parameter host: what peers of one machine have in common; empty where devices are played.
  init(
    _ profile: DeviceProfile, peer: PeerIdentity, isEmulated: Bool, endpoints: [Endpoint],
    memory: ByteCount?, host: String
  ) {
    let decode = profile.decodeBytesPerSecond
    self.init(
      peer: peer.id, version: 1, handshakeKey: peer.staticKey.key.raw,
      endpoints: Array(endpoints.prefix(Limits.endpointsPerPeer)),
      // A machine that plays itself is known by its own name.
      profile: host.isEmpty ? profile.id : String(host.prefix(48)),
      emulationFactor: isEmulated ? profile.emulationPerMille : 0,
      failureDomain: String(host.prefix(48)), clique: profile.link.outside?.clique ?? "",
      latencyPriorMicroseconds: profile.link.latencyPriorMicroseconds,
      memory: MemoryFigures(total: profile.memory, usable: memory ?? profile.usableMemory),
      compute: ComputeFigures(
        cores: UInt16(clamping: ProcessInfo.processInfo.activeProcessorCount),
        kernels: KernelClasses(KernelPath.available),
        matrixVector: WeightThroughput(
          f32: BucketedFigure(decode.f32), f16: BucketedFigure(decode.f16),
          q8: BucketedFigure(decode.q8_0), q4: BucketedFigure(decode.q4_0)),
        matrixMatrix: BucketedFigure(profile.prefillOperationsPerSecond)),
      linkBandwidth: BucketedFigure(profile.link.bytesPerSecond),
      linkLatencyMicroseconds: UInt32(clamping: profile.link.latencyMicroseconds),
      outsideLatencyMicroseconds: UInt32(clamping: profile.link.outside?.latencyMicroseconds ?? 0),
      outsideBandwidth: BucketedFigure(profile.link.outside?.bytesPerSecond ?? 0),
      disk: profile.disk)
  }
}

extension KernelClasses {
  init(_ paths: [KernelPath]) {
    self = []
    for path in paths {
      switch path {
      case .avx512: formUnion([.avx512, .avx512VNNI])
      case .avx2: formUnion(.avx2)
      case .neon: formUnion([.neon, .neonDotProduct])
      case .reference: break
      }
    }
  }
}
