// What this machine has: memory, cores, processor, disk.

public import ShoalProtocol
import CPlatform
import Foundation

/// Figures that are read, not measured.
public struct DeviceFacts: Hashable, Sendable {
  /// What this process could ever have: the machine's, or less where a control group says so.
  public let memory: ByteCount
  /// What it could have now without pushing others out.
  public let availableMemory: ByteCount
  /// Cores that this process may run on.
  public let cores: Int
  /// Such as `AMD EPYC`; empty where the system does not say.
  public let processor: String
}

/// Asks the system; a figure that it does not give is zero or empty, never guessed.
public enum DeviceProbe {
  public static func facts() -> DeviceFacts {
    let meminfo = read("/proc/meminfo")
    let installed = meminfo.flatMap { field("MemTotal:", in: $0) }
    let total = installed ?? Foundation.ProcessInfo.processInfo.physicalMemory
    let available = meminfo.flatMap { field("MemAvailable:", in: $0) } ?? total
    let group = controlGroup()
    let memory = min(total, group?.limit ?? total)
    return DeviceFacts(
      memory: ByteCount(memory),
      availableMemory: ByteCount(
        min(available, group.map { $0.limit - min($0.limit, $0.used) } ?? available)),
      cores: Int(shoal_cores_allowed()), processor: processorName())
  }

  /// What this process holds in memory, mapped files included (`VmRSS` of proc(5)).
  public static func residentBytes() -> UInt64? {
    read("/proc/self/status").flatMap { field("VmRSS:", in: $0) }
  }

  /// A file of the kernel's, nil where there is none.
  private static func read(_ path: String) -> String? {
    FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) }
  }

  /// Bytes of a line such as `MemTotal:  4028536 kB` (proc(5)).
  package static func field(_ name: String, in meminfo: String) -> UInt64? {
    for line in meminfo.split(separator: "\n") where line.hasPrefix(name) {
      let words = line.split(separator: " ")
      guard words.count >= 2, let kibibytes = UInt64(words[1]) else { return nil }
      return kibibytes.multipliedReportingOverflow(by: 1_024).partialValue
    }
    return nil
  }

  /// The tightest limit from this process's group up to the root, and what is used of it. Version
  /// 2 has one tree, version 1 one for memory (cgroups(7)).
  private static func controlGroup() -> (limit: UInt64, used: UInt64)? {
    var tightest: (limit: UInt64, used: UInt64)?
    for group in controlGroupFolders(read("/proc/self/cgroup") ?? "") {
      guard let limit = number(group.folder + group.limitFile) else { continue }
      // Version 1 says "no limit" as the largest multiple of a page.
      if limit >= UInt64(Int64.max) - 1 << 20 { continue }
      if let known = tightest, known.limit <= limit { continue }
      tightest = (limit, number(group.folder + group.usageFile) ?? 0)
    }
    return tightest
  }

  private static func number(_ path: String) -> UInt64? {
    read(path).flatMap { UInt64($0.split(separator: "\n").first ?? "") }
  }

  package struct ControlGroup: Hashable, Sendable {
    package let folder: String
    package let limitFile: String
    package let usageFile: String
  }

  /// From lines such as `0::/user/shell` or `4:memory:/docker/ab`: that folder and those above.
  package static func controlGroupFolders(_ membership: String) -> [ControlGroup] {
    membership.split(separator: "\n").flatMap { line -> [ControlGroup] in
      let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard parts.count == 3 else { return [] }
      let isUnified = parts[0] == "0" && parts[1].isEmpty
      guard isUnified || parts[1].split(separator: ",").contains("memory") else { return [] }
      var names = parts[2].split(separator: "/")
      var groups: [ControlGroup] = []
      while true {
        let path = names.map { "/" + $0 }.joined()
        groups.append(
          isUnified
            ? ControlGroup(
              folder: "/sys/fs/cgroup\(path)/", limitFile: "memory.max",
              usageFile: "memory.current")
            : ControlGroup(
              folder: "/sys/fs/cgroup/memory\(path)/", limitFile: "memory.limit_in_bytes",
              usageFile: "memory.usage_in_bytes"))
        guard names.popLast() != nil else { return groups }
      }
    }
  }

  private static func processorName() -> String {
    guard let cpuinfo = read("/proc/cpuinfo") else { return "" }
    for key in ["model name", "Model"] {
      for line in cpuinfo.split(separator: "\n") where line.hasPrefix(key) {
        guard let colon = line.firstIndex(of: ":") else { continue }
        return line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
      }
    }
    return ""
  }
}
