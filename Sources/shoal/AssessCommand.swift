// `shoal assess`: measures this device and writes its profile.

import ArgumentParser
import Foundation
import ShoalInference
import ShoalPeer
import ShoalProtocol
import ShoalSystem

struct AssessCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "assess", abstract: "Measures this device, in under 5 s, and writes its profile.",
    discussion: """
      Other work on the machine lowers the figures: they say what it delivers now. `shoal peer` \
      goes by the profile in the data directory and makes one where there is none.
      """)

  @Flag(help: "Kernels only, in a second; disk and loopback are left out.") var quick = false
  @Option(help: "What Shoal may use, such as 6GiB (default: half of what is free).")
  var memory: MemorySize?
  @Option(help: "Threads (default: one for each core).") var threads: Int?
  @Option(help: "The profile's file, FILE.toml (default: profile.toml in the data directory).")
  var out: String?
  @Flag(help: "Print facts as JSON.") var json = false
  @OptionGroup var data: DataDirectory

  func validate() throws {
    guard out?.hasSuffix(".toml") ?? true else {
      throw ValidationError("--out is a file whose name ends in .toml")
    }
    guard (threads ?? 1) > 0 else { throw ValidationError("--threads is at least 1") }
  }

  func run() async throws {
    let documents = try DirectoryDocuments(path: data.url.path)
    if !json { Terminal.printError(Terminal.dim("measuring for a few seconds")) }
    let assessment = try await Assessment.measure(
      in: documents.path, depth: quick ? .quick : .full, threads: threads)
    let path: String
    if let out {
      let url = URL(fileURLWithPath: out)
      let text = assessment.profileText(
        id: url.deletingPathExtension().lastPathComponent, usableMemory: memory?.bytes)
      try Data(text.utf8).write(to: url, options: .atomic)
      path = out
    } else {
      _ = try assessment.store(in: documents, usableMemory: memory?.bytes)
      path = "\(documents.path)/\(Assessment.profileName)"
    }
    let profile = assessment.profile(usableMemory: memory?.bytes)
    if json {
      try JSONOutput.print(AssessOutput(assessment, profile, path: path))
    } else {
      for line in table(assessment, profile) { print(line) }
      print("profile written to \(path)")
    }
  }

  private func table(_ assessment: Assessment, _ profile: DeviceProfile) -> [String] {
    let facts = assessment.facts
    var rows: [(String, String)] = [
      ("processor", facts.processor.isEmpty ? "not named by the system" : facts.processor),
      ("cores", "\(facts.cores)"),
      (
        "memory",
        "\(facts.memory), \(facts.availableMemory) free, \(profile.usableMemory) for Shoal"
      ),
      ("kernels", KernelPath.available.map(\.rawValue).joined(separator: ", ")),
    ]
    for precision in AtomPrecision.allCases {
      rows.append(
        (
          "decode \(precision.name)",
          gigabytes(assessment.decodeBytesPerSecond[precision])
        ))
    }
    rows.append(
      (
        "prefill",
        String(format: "%.1f GOP/s", Double(assessment.prefillOperationsPerSecond) / 1e9)
      ))
    if let disk = assessment.disk {
      rows.append(("disk write", gigabytes(disk.writeBytesPerSecond)))
      rows.append(("disk read", gigabytes(disk.readBytesPerSecond)))
    }
    rows.append(("disk", "\(assessment.freeDisk) free, \(profile.disk) for Shoal"))
    if let loopback = assessment.loopback {
      let microseconds = Double(loopback.roundTrip.nanoseconds) / 1e3
      rows.append(
        (
          "loopback",
          gigabytes(loopback.bytesPerSecond)
            + String(format: ", round trip %.0f us", microseconds)
        ))
    }
    rows.append(("link", link(assessment, profile)))
    rows.append(("measured in", String(format: "%.1f s", assessment.duration.inSeconds)))
    return rows.map { "\($0.padding(toLength: 12, withPad: " ", startingAt: 0))  \($1)" }
  }

  private func link(_ assessment: Assessment, _ profile: DeviceProfile) -> String {
    let name = assessment.network.interface.isEmpty ? "" : " (\(assessment.network.interface))"
    let isEstimate = assessment.network.bytesPerSecond == nil
    return "\(profile.link.kind.rawValue)\(name), \(gigabytes(profile.link.bytesPerSecond))"
      + (isEstimate ? ", assumed: the system names no rate" : "")
  }

  private func gigabytes(_ rate: UInt64) -> String {
    String(format: "%.2f GB/s", Double(rate) / 1e9)
  }
}

/// A size as people write it (`ByteCount.init(text:)`).
struct MemorySize: ExpressibleByArgument {
  let bytes: ByteCount

  init?(argument: String) {
    guard let bytes = ByteCount(text: argument) else { return nil }
    self.bytes = bytes
  }
}
