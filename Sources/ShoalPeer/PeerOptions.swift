// How a peer is to be, as an app or a command says it. Everything has a default.

public import Logging
public import ShoalInference
public import ShoalLedger
public import ShoalProtocol
public import ShoalSecurity
import ShoalSystem

public struct PeerOptions: Sendable {
  /// Nil: the network that the store joined, else the LAN's.
  public var network: NetworkDescriptor?
  /// Where peers reach this one. Nil: port 7432 of all addresses, or any where that is taken.
  public var listen: Endpoint?
  /// A device to play. Nil: this machine, which is measured at its first start.
  public var profile: DeviceProfile?
  /// What Shoal may use. Nil: what the profile says.
  public var memory: ByteCount?
  /// Of one job. Nil: one for each core.
  public var threads: Int?
  /// Nil: the fastest that this machine has. The bits are the same with all.
  public var kernel: KernelPath?
  /// Whose models to store and compute with.
  public var publishers = PublisherPolicy.everybody
  /// Carry streams between peers that cannot reach each other. Nil: where this one has a public
  /// address.
  public var relay: Bool?
  /// Ask the router of this machine's network to let others in.
  public var portMapping = false
  /// What it asks and pays. Nil: it keeps no accounts.
  public var accounts: AccountTerms?
  /// One step of so many is audited, of ranks that are not new; 0: none. Nil: one of 64 where
  /// strangers may be or accounts are kept, else none.
  public var audit: Int?
  /// Told what happens at the peer: never a prompt, an answer or a key.
  public var logger = Logger(label: "shoal") { _ in SwiftLogNoOpLogHandler() }

  public init() {}
}

extension PeerOptions {
  /// What a person set, read and checked.
  ///
  /// - Throws: `PeerError.setting` naming the flag, the variable or the file's key.
  public init(_ settings: PeerSettings) throws {
    if let text = settings[.network]?.text {
      let source = try NetworkSource(text)
      try source.check(at: .now())
      network = source.network
    }
    listen = try settings.endpoint(.listen)
    profile = try settings[.profile].map { try DeviceProfile(file: $0.text) }
    memory = try settings.value(.memory, "an amount of memory, such as 6GiB") {
      ByteCount(text: $0)
    }
    threads = try settings.value(.threads, "a number of threads from 1 to 1024") { text in
      Int(text).flatMap { (1...1_024).contains($0) ? $0 : nil }
    }
    kernel = try settings.value(.kernel, KernelPath.choices) { KernelPath(rawValue: $0) }
    if let kernel, !kernel.isAvailable {
      throw PeerError.noSuchKernel(kernel, available: KernelPath.available)
    }
    logger = try Self.logger(settings)
    relay = try settings.value(.relay, "true or false") { Bool($0) }
    portMapping = try settings.value(.portMapping, "true or false") { Bool($0) } ?? false
    accounts = try Self.accounts(settings)
    audit = try settings.value(.audit, "a number of steps up to 1000000, or 0") { text in
      Int(text).flatMap { (0...1_000_000).contains($0) ? $0 : nil }
    }
    let allowed = try settings.value(
      .publishers, "all, own, or ids of 64 hexadecimal digits and accounts, with commas"
    ) { Self.publishers($0) }
    publishers = PublisherPolicy(
      allowed: allowed ?? nil,
      modelLimit: try settings.value(.largestModel, "an amount of bytes, such as 40GiB") {
        ByteCount(text: $0)?.bytes
      })
  }

  /// To standard error.
  private static func logger(_ settings: PeerSettings) throws(PeerError) -> Logger {
    let format = try settings.value(.log, "text or json") { LogFormat(rawValue: $0) }
    let level = try settings.value(
      .logLevel, Logger.Level.allCases.map(\.rawValue).joined(separator: ", ")
    ) { Logger.Level(rawValue: $0) }
    let clock = SystemClock()
    return Logger(
      label: "shoal", format: format ?? .text, level: level ?? .notice,
      unixMilliseconds: { clock.unixMilliseconds() },
      write: { LogOutput.standardError.write($0) })
  }

  private static func accounts(_ settings: PeerSettings) throws(PeerError) -> AccountTerms? {
    func amount(_ setting: PeerSetting) throws(PeerError) -> UInt64? {
      try settings.value(setting, "a number of credits") { UInt64($0) }
    }
    let (price, pays) = (try amount(.price), try amount(.pays))
    guard price != nil || pays != nil else { return nil }
    var terms = AccountTerms(price: WorkPrice(perMebiUnit: max(price ?? 0, pays ?? 0)))
    terms.asks = WorkPrice(perMebiUnit: price ?? 0)
    terms.pays = WorkPrice(perMebiUnit: pays ?? price ?? 0)
    if let credit = try amount(.credit) { terms.credit = Amount(UInt128(credit)) }
    if let budget = try amount(.budget) { terms.budget = Amount(UInt128(budget)) }
    if let window = try amount(.window) { terms.window = Amount(UInt128(window)) }
    return terms
  }

  /// All is nil inside; nil itself is a text that is none.
  private static func publishers(_ text: String) -> Set<PeerID>?? {
    switch text {
    case "all": return .some(nil)
    case "own": return .some([])
    case _: break
    }
    var ids: Set<PeerID> = []
    for part in text.split(separator: ",") {
      let text = String(part.filter { $0 != " " })
      guard let id = Bytes32(hex: text) ?? EthereumAddress(text)?.word else { return nil }
      ids.insert(PeerID(id))
    }
    return .some(ids)
  }
}

extension KernelPath {
  /// For errors and help: "avx512, avx2, neon or reference".
  public static var choices: String {
    let names = allCases.map(\.rawValue)
    return names.dropLast().joined(separator: ", ") + " or " + (names.last ?? "")
  }
}

extension ByteCount {
  /// Such as 6GiB, 512M or 1000: powers of 1024, or of 1000 where the unit ends in B alone.
  public init?(text: String) {
    let digits = text.prefix { $0.isNumber }
    guard let count = UInt64(digits), count > 0 else { return nil }
    let unit = text.dropFirst(digits.count).lowercased()
    var factor: UInt64 = 1
    if !unit.isEmpty, unit != "b" {
      guard let power = ["k", "m", "g", "t"].firstIndex(where: { unit.hasPrefix($0) }) else {
        return nil
      }
      switch unit.dropFirst() {
      case "", "ib": factor = 1 << (10 * UInt64(power + 1))
      case "b": factor = (0...power).reduce(1) { factor, _ in factor * 1_000 }
      case _: return nil
      }
    }
    let (bytes, overflow) = count.multipliedReportingOverflow(by: factor)
    guard !overflow else { return nil }
    self.init(bytes)
  }
}
