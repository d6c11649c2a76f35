// Device profiles as files: the keys of Peers/README.md.

public import ShoalProtocol

extension DeviceProfile {
  /// Reads a profile. The file's name, less `.toml`, must be the profile's id.
  public init(file: String) throws(ConfigurationError) {
    try self.init(TOMLConfiguration.read(file: file))
    let name = file.split(separator: "/").last.map { String($0) } ?? file
    guard name == "\(id).toml" else {
      throw .notOneOf(file: file, key: "id", value: id, allowed: [String(name.dropLast(5))])
    }
  }

  /// Takes all keys of `table`; an unknown one is refused.
  public init(_ table: ConfigurationTable) throws(ConfigurationError) {
    var table = table
    let id = try table.string("id")
    let deviceClass = try table.string("class")
    let memory = try DeviceProfile.memory(&table)
    let compute = try DeviceProfile.compute(&table)
    let link = try LinkProfile(&table)
    var storage = try table.table("storage")
    let disk = try storage.integer("disk_bytes", UInt64.self)
    try storage.finish()
    let thermal = try ThermalProfile.read(&table)
    let battery = try BatteryProfile.read(&table)
    if var sources = try table.optionalTable("sources") { _ = try sources.remainingStrings() }
    // Written into copies of a profile where a whole testnet is slowed by one factor.
    let emulation: UInt32 = try table.optionalInteger("emulation_per_mille") ?? 1_000
    guard (1...1_000).contains(emulation) else {
      throw .outOfRange(
        file: table.file, key: "emulation_per_mille", value: Int64(emulation), allowed: 1...1_000)
    }
    try table.finish()
    self.init(
      id: id, deviceClass: deviceClass, memory: memory.total, usableMemory: memory.usable,
      decodeBytesPerSecond: compute.decode, prefillOperationsPerSecond: compute.prefill,
      link: link, disk: ByteCount(disk), thermal: thermal, battery: battery)
    if emulation < 1_000 { self = slowed(toPerMille: emulation) }
  }

  private static func memory(
    _ table: inout ConfigurationTable
  ) throws(ConfigurationError) -> (total: ByteCount, usable: ByteCount) {
    var section = try table.table("memory")
    let total: UInt64 = try section.integer("total_bytes", atLeast: 1)
    let usable: UInt64 = try section.integer("usable_bytes", atLeast: 1)
    try section.finish()
    guard usable <= total else {
      throw .outOfRange(
        file: section.file, key: "memory.usable_bytes", value: Int64(clamping: usable),
        allowed: 1...Int64(clamping: total))
    }
    return (ByteCount(total), ByteCount(usable))
  }

  private static func compute(
    _ table: inout ConfigurationTable
  ) throws(ConfigurationError) -> (decode: PrecisionRates, prefill: UInt64) {
    var section = try table.table("compute")
    var rates = PrecisionRates()
    for precision in AtomPrecision.allCases {
      let key = "decode_\(precision.name)_bytes_per_second"
      rates[precision] = try section.optionalInteger(key) ?? 0
    }
    let prefill: UInt64 = try section.integer("prefill_operations_per_second")
    try section.finish()
    return (rates, prefill)
  }
}

extension LinkProfile {
  fileprivate init(_ table: inout ConfigurationTable) throws(ConfigurationError) {
    var section = try table.table("link")
    self.init(
      kind: try section.choice("kind"),
      bytesPerSecond: try section.integer("bytes_per_second", atLeast: 1),
      latencyMicroseconds: try section.integer("latency_microseconds"),
      latencyPriorMicroseconds: try section.integer("latency_prior_microseconds"),
      outside: try OutsideLink.read(&section))
    try section.finish()
  }
}

extension OutsideLink {
  /// Written into copies of a profile where a testnet has several houses.
  fileprivate static func read(
    _ section: inout ConfigurationTable
  ) throws(ConfigurationError) -> OutsideLink? {
    guard var outside = try section.optionalTable("outside") else { return nil }
    let link = OutsideLink(
      clique: try outside.string("clique"),
      latencyMicroseconds: try outside.integer("latency_microseconds"),
      bytesPerSecond: try outside.integer("bytes_per_second", atLeast: 1))
    guard link.clique.utf8.count <= 32 else {
      throw .outOfRange(
        file: outside.file, key: "link.outside.clique", value: Int64(link.clique.utf8.count),
        allowed: 0...32)
    }
    try outside.finish()
    return link
  }
}

extension ThermalProfile {
  fileprivate static func read(
    _ table: inout ConfigurationTable
  ) throws(ConfigurationError) -> ThermalProfile? {
    guard var section = try table.optionalTable("thermal") else { return nil }
    let profile = ThermalProfile(
      afterSeconds: try section.integer("after_seconds"),
      factorPerMille: try section.integer("factor_per_mille", atLeast: 1))
    try section.finish()
    return profile
  }
}

extension BatteryProfile {
  fileprivate static func read(
    _ table: inout ConfigurationTable
  ) throws(ConfigurationError) -> BatteryProfile? {
    guard var section = try table.optionalTable("battery") else { return nil }
    let profile = BatteryProfile(
      milliwattHours: try section.integer("milliwatt_hours", atLeast: 1),
      idleMilliwatts: try section.integer("idle_milliwatts"),
      busyMilliwatts: try section.integer("busy_milliwatts"))
    try section.finish()
    return profile
  }
}
