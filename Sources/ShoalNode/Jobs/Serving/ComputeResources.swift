// What a peer gives to jobs.

public import ShoalInference
public import ShoalProtocol

extension Limits {
  /// Lanes that one peer takes part in at once: each has threads and memory of its own.
  public static let runningJobs = 4
}

/// What a peer computes with.
public struct ComputeResources: Sendable {
  public let kernels: Kernels
  public let threadsPerJob: Int
  /// The device to be played; nil: as fast as this machine is.
  public let emulated: DeviceProfile?

  public init(kernels: Kernels, threadsPerJob: Int, emulated: DeviceProfile?) {
    self.kernels = kernels
    self.threadsPerJob = threadsPerJob
    self.emulated = emulated
  }
}
