// What the system says of the link to other machines. Nothing is sent.

import Foundation
public import ShoalProtocol

/// The interface that leads outside.
public struct NetworkFacts: Hashable, Sendable {
  /// Such as `eth0`; empty where the system names none.
  public let interface: String
  public let kind: LinkKind
  /// What it carries one way as TCP payload; nil where the system does not say, as for Wi-Fi and
  /// virtual machines.
  public let bytesPerSecond: UInt64?

  /// Reads sysfs and procfs (sysfs-class-net, proc(5)); other systems say nothing here.
  public static func current() -> NetworkFacts {
    let routes = read("/proc/net/route") ?? ""
    guard let interface = defaultInterface(routes) else {
      return NetworkFacts(interface: "", kind: .ethernet, bytesPerSecond: nil)
    }
    let folder = "/sys/class/net/\(interface)"
    let isWireless = FileManager.default.fileExists(atPath: "\(folder)/wireless")
    return NetworkFacts(
      interface: interface, kind: isWireless ? .wifi : .ethernet,
      bytesPerSecond: read("\(folder)/speed").flatMap { payload(megabits: $0) })
  }

  /// Whether the device can run on a battery of its own.
  static func hasBattery() -> Bool {
    let folder = "/sys/class/power_supply"
    let supplies = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return supplies.contains { name in
      read("\(folder)/\(name)/type")?.hasPrefix("Battery") == true
        // A mouse's battery has the scope of its device.
        && read("\(folder)/\(name)/scope")?.hasPrefix("Device") != true
    }
  }

  /// The interface of the route to 0.0.0.0 in `/proc/net/route`.
  package static func defaultInterface(_ routes: String) -> String? {
    for line in routes.split(separator: "\n").dropFirst() {
      let fields = line.split(whereSeparator: \.isWhitespace)
      if fields.count > 1, fields[1] == "00000000" { return String(fields[0]) }
    }
    return nil
  }

  /// The router of that route; nil where the route leads to none. Its number is as the machine
  /// stores it, which on all that Shoal runs on is the last byte first.
  package static func defaultGateway(_ routes: String) -> Endpoint? {
    for line in routes.split(separator: "\n").dropFirst() {
      let fields = line.split(whereSeparator: \.isWhitespace)
      guard fields.count > 2, fields[1] == "00000000", fields[2].count == 8,
        let number = UInt32(fields[2], radix: 16), number != 0
      else { continue }
      let address = (0..<4).map { UInt8(truncatingIfNeeded: number >> (8 * UInt32($0))) }
      return Endpoint(address: address, port: 0)
    }
    return nil
  }

  /// Frames of 1,538 bytes on the wire carry 1,448 of TCP (IEEE 802.3, RFC 7323). Nil for no rate:
  /// the kernel says -1 where it knows none.
  package static func payload(megabits: String) -> UInt64? {
    guard let rate = UInt64(megabits.trimmingCharacters(in: .whitespacesAndNewlines)),
      (1...10_000_000).contains(rate)
    else { return nil }
    return rate * 125_000 * 1_448 / 1_538
  }

  private static func read(_ path: String) -> String? {
    FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) }
  }
}
