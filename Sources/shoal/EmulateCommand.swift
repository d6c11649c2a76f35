// `shoal emulate PROFILE...`: slows device profiles by one factor, so that this host can play them
// all and their ratios stay.

import ArgumentParser
import Foundation
import ShoalProtocol
import ShoalSystem

struct EmulateCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "emulate",
    abstract: "Writes copies of device profiles, slowed by one factor to what this host can play.")

  @Argument(help: "Profiles, such as Peers/iphone-15-pro.toml.") var profiles: [String]
  @Option(help: "The folder for the copies.") var out: String
  @Flag(help: "Print facts as JSON.") var json = false

  private struct Facts: Encodable {
    let factorPerMille: UInt32
    let profiles: [String]
  }

  func run() async throws {
    let host = try await Assessment.measure(
      in: FileManager.default.temporaryDirectory.path, depth: .quick, threads: 1)
    let factor =
      try profiles.map {
        try DeviceProfile(file: $0).factor(playedBy: host.decodeBytesPerSecond)
      }.min() ?? 1_000
    try FileManager.default.createDirectory(atPath: out, withIntermediateDirectories: true)
    let copies = try profiles.map { file in
      let url = URL(fileURLWithPath: file)
      let copy = URL(fileURLWithPath: out).appendingPathComponent(url.lastPathComponent)
      let text = try String(contentsOf: url, encoding: .utf8)
      try "emulation_per_mille = \(factor)\n\(text)".write(
        to: copy, atomically: true, encoding: .utf8)
      return copy.path
    }
    if json { return try JSONOutput.print(Facts(factorPerMille: factor, profiles: copies)) }
    print("every device slowed to \(factor)/1000 of its speed")
    for copy in copies { print(copy) }
  }
}
