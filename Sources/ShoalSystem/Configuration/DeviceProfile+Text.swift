// Device profiles as text: the file that `DeviceProfile.init(file:)` reads back.

public import ShoalProtocol

extension DeviceProfile {
  /// The figures as they are: those of a slowed profile are slowed, and its factor is not written,
  /// since a reader would slow them again.
  ///
  /// - Parameters:
  ///   - comment: one line for whoever opens the file.
  ///   - sources: where figures come from, by `section.key`, each `TAG: note` (Peers/README.md).
  public func fileText(comment: String = "", sources: [String: String] = [:]) -> String {
    var lines = comment.isEmpty ? [] : ["# \(comment)"]
    lines += [
      "id = \(TOMLConfiguration.quoted(id))", "class = \(TOMLConfiguration.quoted(deviceClass))",
    ]
    lines += section(
      "memory", [("total_bytes", memory.bytes), ("usable_bytes", usableMemory.bytes)])
    lines += section(
      "compute",
      AtomPrecision.allCases.map {
        ("decode_\($0.name)_bytes_per_second", decodeBytesPerSecond[$0])
      } + [("prefill_operations_per_second", prefillOperationsPerSecond)])
    lines += section(
      "link",
      [
        ("bytes_per_second", link.bytesPerSecond),
        ("latency_microseconds", link.latencyMicroseconds),
        ("latency_prior_microseconds", UInt64(link.latencyPriorMicroseconds)),
      ])
    lines.append("kind = \(TOMLConfiguration.quoted(link.kind.rawValue))")
    if let outside = link.outside {
      lines += section(
        "link.outside",
        [
          ("latency_microseconds", outside.latencyMicroseconds),
          ("bytes_per_second", outside.bytesPerSecond),
        ])
      lines.append("clique = \(TOMLConfiguration.quoted(outside.clique))")
    }
    lines += section("storage", [("disk_bytes", disk.bytes)])
    if let thermal {
      lines += section(
        "thermal",
        [
          ("after_seconds", UInt64(thermal.afterSeconds)),
          ("factor_per_mille", UInt64(thermal.factorPerMille)),
        ])
    }
    if let battery {
      lines += section(
        "battery",
        [
          ("milliwatt_hours", UInt64(battery.milliwattHours)),
          ("idle_milliwatts", UInt64(battery.idleMilliwatts)),
          ("busy_milliwatts", UInt64(battery.busyMilliwatts)),
        ])
    }
    if !sources.isEmpty {
      lines += ["", "[sources]"]
      for (key, source) in sources.sorted(by: { $0.key < $1.key }) {
        lines.append("\(TOMLConfiguration.quoted(key)) = \(TOMLConfiguration.quoted(source))")
      }
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// A table of integers. TOML's are 64 bits and signed: what is beyond is written as the largest.
  private func section(_ name: String, _ figures: [(String, UInt64)]) -> [String] {
    ["", "[\(name)]"]
      + figures.map { key, value in
        "\(key) = \(grouped(min(value, UInt64(Int64.max))))"
      }
  }

  /// Such as `1_200_000`.
  private func grouped(_ value: UInt64) -> String {
    let digits = Array(String(value))
    var text = ""
    for (index, digit) in digits.enumerated() {
      if index > 0, (digits.count - index).isMultiple(of: 3) { text.append("_") }
      text.append(digit)
    }
    return text
  }
}
