// Profiles as text: what is written is read back, whatever a device has.

import Foundation
import ShoalProtocol
import ShoalSystem
import Testing

private let profiles = URL(filePath: #filePath).deletingLastPathComponent()
  .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Peers").path

@Suite struct ProfileTextTests {
  @Test("every profile of the repository survives being written")
  func roundTrip() throws {
    let names = try FileManager.default.contentsOfDirectory(atPath: profiles)
      .filter { $0.hasSuffix(".toml") }
    #expect(names.count > 5)
    var withBattery = 0
    for name in names {
      let profile = try DeviceProfile(file: "\(profiles)/\(name)")
      let text = profile.fileText(comment: "again", sources: ["link.kind": "design: \"so\""])
      #expect(try DeviceProfile(TOMLConfiguration.parse(text, file: name)) == profile)
      #expect(text.hasPrefix("# again\n"))
      withBattery += profile.battery == nil ? 0 : 1
    }
    #expect(withBattery > 0 && withBattery < names.count)
  }

  @Test("digits stand in groups of three")
  func digits() throws {
    var profile = try DeviceProfile(file: "\(profiles)/budget-android.toml")
    profile.disk = ByteCount(UInt64(1_234_567))
    #expect(profile.fileText().contains("disk_bytes = 1_234_567\n"))
    profile.disk = ByteCount(UInt64(123_456))
    #expect(profile.fileText().contains("disk_bytes = 123_456\n"))
  }

  @Test("a figure beyond what TOML holds is written as the largest that it holds")
  func saturates() throws {
    var profile = try DeviceProfile(file: "\(profiles)/budget-android.toml")
    profile.disk = ByteCount(UInt64.max)
    let again = try DeviceProfile(TOMLConfiguration.parse(profile.fileText(), file: "x"))
    #expect(again.disk == ByteCount(UInt64(Int64.max)))
  }
}
