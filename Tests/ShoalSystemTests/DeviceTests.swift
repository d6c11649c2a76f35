// What the machine says of itself, and the files that describe others.

import Foundation
import ShoalProtocol
import ShoalSystem
import Testing

@Suite struct DeviceProbeTests {
  @Test("memory and cores are those of this machine")
  func facts() {
    let facts = DeviceProbe.facts()
    #expect(facts.memory > .zero)
    #expect(facts.availableMemory <= facts.memory)
    #expect((1...ProcessInfo.processInfo.processorCount).contains(facts.cores))
  }

  @Test("lines of /proc/meminfo are read as kibibytes")
  func meminfo() {
    let text = "MemTotal:       4028536 kB\nMemFree:  12 kB\nMemAvailable:   x kB\n"
    #expect(DeviceProbe.field("MemTotal:", in: text) == 4_028_536 * 1_024)
    #expect(DeviceProbe.field("MemAvailable:", in: text) == nil)
    #expect(DeviceProbe.field("SwapTotal:", in: text) == nil)
  }

  @Test("limits are looked for in the own control group and all above it")
  func controlGroups() {
    let unified = DeviceProbe.controlGroupFolders("0::/user/shell\n")
    #expect(
      unified.map(\.folder) == [
        "/sys/fs/cgroup/user/shell/", "/sys/fs/cgroup/user/", "/sys/fs/cgroup/",
      ])
    let first = DeviceProbe.controlGroupFolders("5:cpu:/a\n4:hugetlb,memory:/b\ngarbage\n")
    #expect(first.map(\.folder) == ["/sys/fs/cgroup/memory/b/", "/sys/fs/cgroup/memory/"])
  }

  @Test("the disk's speed is measured and the probe's file is gone")
  func disk() throws {
    let folder = try TemporaryFolder()
    let speed = try DiskProbe.measure(in: folder.path)
    #expect(speed.writeBytesPerSecond > 0 && speed.readBytesPerSecond > 0)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
    #expect(throws: SystemCallError.self) { try DiskProbe.measure(in: "\(folder.path)/none") }
  }
}

private let profiles = URL(filePath: #filePath).deletingLastPathComponent()
  .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Peers").path

@Suite struct DeviceProfileFileTests {
  @Test("every profile of the repository is read")
  func all() throws {
    let names = try FileManager.default.contentsOfDirectory(atPath: profiles)
      .filter { $0.hasSuffix(".toml") }
    #expect(names.count > 5)
    for name in names {
      let profile = try DeviceProfile(file: "\(profiles)/\(name)")
      #expect("\(profile.id).toml" == name)
      #expect(profile.usableMemory <= profile.memory)
    }
  }

  @Test("figures land where they belong")
  func figures() throws {
    let phone = try DeviceProfile(file: "\(profiles)/budget-android.toml")
    #expect(phone.memory == ByteCount(UInt64(4_000_000_000)))
    #expect(phone.usableMemory == ByteCount(UInt64(1_200_000_000)))
    #expect(phone.decodeBytesPerSecond[.q4_0] == 6_000_000_000)
    #expect(phone.link.kind == .wifi)
    #expect(phone.link.latencyPriorMicroseconds == 50_000)
    #expect(phone.thermal?.factorPerMille == 600)
    #expect(phone.battery?.milliwattHours == 19_000)
  }

  /// One replacement in a good file, and the error that names the key.
  static let mistakes: [(String, String, ConfigurationError)] = [
    (
      "usable_bytes = 1_200_000_000", "usable_byte = 1",
      .missing(file: "x", key: "memory.usable_bytes")
    ),
    ("[link]", "[link]\nspeed = 1", .unknown(file: "x", keys: ["link.speed"])),
    ("[link]", "[lunk]\nspeed = 1\n[link]", .unknown(file: "x", keys: ["lunk"])),
    (
      "kind = \"wifi\"", "kind = \"pigeon\"",
      .notOneOf(
        file: "x", key: "link.kind", value: "pigeon", allowed: ["ethernet", "wifi", "cellular"])
    ),
    (
      "total_bytes = 4_000_000_000", "total_bytes = \"4 GB\"",
      .wrongType(
        file: "x", key: "memory.total_bytes", expected: "an integer", found: "a string")
    ),
    (
      "after_seconds = 120", "after_seconds = -1",
      .outOfRange(
        file: "x", key: "thermal.after_seconds", value: -1, allowed: 0...Int64(UInt32.max))
    ),
    (
      "usable_bytes = 1_200_000_000", "usable_bytes = 5_000_000_000",
      .outOfRange(
        file: "x", key: "memory.usable_bytes", value: 5_000_000_000, allowed: 1...4_000_000_000)
    ),
  ]

  @Test("a mistake is refused by file and key", arguments: mistakes)
  func mistake(good: String, bad: String, error: ConfigurationError) throws {
    let text = try String(contentsOfFile: "\(profiles)/budget-android.toml", encoding: .utf8)
    #expect(text.contains(good))
    #expect(throws: error) {
      let changed = text.replacingOccurrences(of: good, with: bad)
      return try DeviceProfile(TOMLConfiguration.parse(changed, file: "x"))
    }
  }

  @Test("broken syntax names line and column; a missing file names itself")
  func syntax() {
    let error = #expect(throws: ConfigurationError.self) {
      try TOMLConfiguration.parse("a = 1\nb = [", file: "x")
    }
    guard case .syntax("x", let line, _, _) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(line == 2)
    #expect(throws: ConfigurationError.self) { try TOMLConfiguration.read(file: "/none.toml") }
  }
}
