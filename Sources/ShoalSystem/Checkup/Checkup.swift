// What is wrong with a machine, a network or a store, and the mend: decided from facts alone.

internal import ShoalProtocol

/// One thing that was looked at.
public struct Finding: Sendable, Hashable {
  public enum Grade: String, Sendable, Hashable {
    case good
    /// It works, and not as well as it could.
    case warning
    /// It does not work.
    case fault
  }

  public let grade: Grade
  public let subject: String
  public let text: String
  /// What to do about it; nil where there is nothing to do.
  public let mend: String?

  public init(_ grade: Grade, _ subject: String, _ text: String, mend: String? = nil) {
    self.grade = grade
    self.subject = subject
    self.text = text
    self.mend = mend
  }
}

/// What was found on this machine.
public struct CheckupFacts: Sendable, Hashable {
  public enum Directory: Sendable, Hashable {
    case absent
    case notWritable
    /// Others of this machine can enter; the mode's nine bits.
    case open(mode: UInt16)
    case good
  }

  public struct LooseFile: Sendable, Hashable {
    public let name: String
    /// Nine bits.
    public let mode: UInt16

    public init(name: String, mode: UInt16) { (self.name, self.mode) = (name, mode) }
  }

  public enum Network: Sendable, Hashable {
    /// The open one of the LAN.
    case lan
    case joined(String)
    case unreadable(reason: String)
  }

  public enum Peer: Sendable, Hashable {
    case none
    /// A data directory says where it was, and nobody answers there.
    case silent(address: String)
    /// `trouble` is why it takes no job now.
    case running(address: String, trouble: String?)
  }

  public var directory = ""
  public var directoryState = Directory.good
  public var freeBytes: UInt64 = 0
  /// Of the peer's key; nil where none was made yet.
  public var identityBytes: Int?
  /// A password opens it.
  public var isIdentitySealed = false
  /// Secret files that others of this machine can read or write.
  public var looseFiles: [LooseFile] = []
  public var network = Network.lan
  /// Nil where the device was never measured.
  public var profileDays: Int?
  /// What the profile offers, and what is available now.
  public var usableBytes: UInt64 = 0
  public var availableBytes: UInt64 = 0
  public var cores = 1
  public var kernel = ""
  public var hasVectorKernel = true
  /// How many files and sockets a program may have open.
  public var openFiles: UInt64 = 0
  /// Beyond loopback.
  public var addresses: [String] = []
  /// How streams get to the others: `called` dial when asked, `relayed` go through a third peer.
  public struct Ways: Sendable, Hashable {
    public var direct: Int
    public var called: Int
    public var relayed: Int
    public var unreached: Int

    public init(direct: Int, called: Int, relayed: Int, unreached: Int) {
      (self.direct, self.called) = (direct, called)
      (self.relayed, self.unreached) = (relayed, unreached)
    }
  }

  /// What the router was asked, and said.
  public struct PortMapping: Sendable, Hashable {
    public let address: String?
    public let method: String?
    public let trouble: String?

    public init(address: String?, method: String?, trouble: String?) {
      (self.address, self.method, self.trouble) = (address, method, trouble)
    }
  }

  public var peer = Peer.none
  /// Nil where no peer runs, or it needs no router's help.
  public var portMapping: PortMapping?
  /// Nil where no peer runs.
  public var ways: Ways?
  /// Of the usual ports those that something else holds.
  public var takenPorts: [UInt16] = []
  public var blobs = 0
  public var quarantined = 0
  /// Blobs whose bytes are not what their names say; nil where they were not read.
  public var damaged: Int?

  public init() {}
}

public enum Checkup {
  /// In the order of their subjects: what everything else rests on comes first.
  public static func findings(_ facts: CheckupFacts) -> [Finding] {
    let all: [Finding?] = [
      directory(facts), disk(facts), identity(facts), secrets(facts), store(facts), memory(facts),
      profile(facts),
      kernel(facts), files(facts), network(facts), addresses(facts), ports(facts), peer(facts),
      portMapping(facts), ways(facts),
    ]
    return all.compactMap(\.self)
  }

  // MARK: Store

  private static func directory(_ facts: CheckupFacts) -> Finding {
    let path = facts.directory
    return switch facts.directoryState {
    case .absent:
      Finding(
        .warning, "data directory", "\(path) is not there yet",
        mend: "`shoal peer` makes it, or name another with --data")
    case .notWritable:
      Finding(
        .fault, "data directory", "\(path) cannot be written to",
        mend: "chown it to the user who runs the peer, or name another with --data")
    case .open(let mode):
      Finding(
        .warning, "data directory",
        "others of this machine can enter \(path) (mode \(String(mode, radix: 8)))",
        mend: "chmod 700 \(path)")
    case .good: Finding(.good, "data directory", path)
    }
  }

  /// A small model and its repair fit.
  private static let littleDisk: UInt64 = 2 << 30

  private static func disk(_ facts: CheckupFacts) -> Finding? {
    guard facts.directoryState != .absent else { return nil }
    let text = "\(ByteCount(facts.freeBytes)) free"
    guard facts.freeBytes < littleDisk else { return Finding(.good, "disk", text) }
    return Finding(
      .warning, "disk", text, mend: "free some, or move the data directory to a larger disk")
  }

  private static func identity(_ facts: CheckupFacts) -> Finding {
    switch facts.identityBytes {
    case nil: Finding(.good, "identity", "made when the peer first starts")
    case _? where facts.isIdentitySealed: Finding(.good, "identity", "sealed with a password")
    case 32: Finding(.good, "identity", "32 bytes")
    case let count?:
      Finding(
        .fault, "identity", "\(facts.directory)/identity has \(count) bytes, not 32",
        mend: "restore it from a backup; or remove it, and the peer gets a new name")
    }
  }

  private static func secrets(_ facts: CheckupFacts) -> Finding? {
    guard !facts.looseFiles.isEmpty else { return nil }
    let files = facts.looseFiles.map { "\($0.name) (mode \(String($0.mode, radix: 8)))" }
    let paths = facts.looseFiles.map { "\(facts.directory)/\($0.name)" }
    return Finding(
      .warning, "secret files",
      "others of this machine may read or change \(files.joined(separator: ", "))",
      mend: "chmod 600 \(paths.joined(separator: " "))")
  }

  private static func store(_ facts: CheckupFacts) -> Finding {
    if let damaged = facts.damaged, damaged > 0 {
      return Finding(
        .fault, "store", "\(damaged) of \(facts.blobs) blobs are damaged",
        mend: "start the peer: it sets them aside and fetches others; then look at the disk")
    }
    if facts.quarantined > 0 {
      return Finding(
        .warning, "store", "\(facts.quarantined) damaged blobs were set aside before",
        mend: "look at the disk; \(facts.directory)/quarantine can be emptied")
    }
    let read = facts.damaged == nil ? "not read; --deep does" : "all as they should be"
    return Finding(.good, "store", "\(facts.blobs) blobs, \(read)")
  }

  // MARK: Machine

  private static func memory(_ facts: CheckupFacts) -> Finding? {
    guard facts.profileDays != nil else { return nil }
    let text =
      "\(ByteCount(facts.usableBytes)) offered, \(ByteCount(facts.availableBytes)) available"
    guard facts.usableBytes > facts.availableBytes else { return Finding(.good, "memory", text) }
    return Finding(
      .warning, "memory", text,
      mend: "close other programs, or offer less: `shoal assess --memory SIZE`")
  }

  private static let oldDays = 180

  private static func profile(_ facts: CheckupFacts) -> Finding {
    switch facts.profileDays {
    case nil:
      Finding(
        .warning, "profile", "this device was not measured yet",
        mend: "`shoal assess`, with nothing else running")
    case let days? where days > oldDays:
      Finding(.warning, "profile", "measured \(days) days ago", mend: "`shoal assess`")
    case let days?: Finding(.good, "profile", "measured \(days) days ago")
    }
  }

  private static func kernel(_ facts: CheckupFacts) -> Finding {
    if facts.hasVectorKernel {
      return Finding(.good, "kernels", "\(facts.kernel), \(facts.cores) cores")
    }
    return Finding(
      .warning, "kernels", "only plain Swift runs on this processor: several times slower",
      mend: "a virtual machine may hide AVX2 from its guest: let it pass the host's processor on")
  }

  /// As many connections as the API takes, and streams between peers.
  private static let fewFiles: UInt64 = 1_024

  private static func files(_ facts: CheckupFacts) -> Finding {
    let text = "\(facts.openFiles) open files allowed"
    guard facts.openFiles < fewFiles else { return Finding(.good, "limits", text) }
    return Finding(.warning, "limits", text, mend: "ulimit -n 8192 before the peer starts")
  }

  // MARK: Network

  private static func network(_ facts: CheckupFacts) -> Finding {
    switch facts.network {
    case .lan: Finding(.good, "network", "lan, open to whoever is on the same LAN")
    case .joined(let name): Finding(.good, "network", name)
    case .unreadable(let reason):
      Finding(
        .fault, "network", reason, mend: "`shoal net join` with the descriptor or a new invite")
    }
  }

  private static func addresses(_ facts: CheckupFacts) -> Finding {
    guard facts.addresses.isEmpty else {
      return Finding(.good, "addresses", facts.addresses.joined(separator: ", "))
    }
    return Finding(
      .warning, "addresses", "no interface but loopback is up: other machines cannot be reached",
      mend: "connect to a network")
  }

  private static func ports(_ facts: CheckupFacts) -> Finding? {
    if case .running = facts.peer { return nil }
    guard !facts.takenPorts.isEmpty else {
      return Finding(.good, "ports", "7432, 7433 and 7434 are free")
    }
    let ports = facts.takenPorts.map(String.init).joined(separator: ", ")
    return Finding(
      .warning, "ports", "\(ports) in use by another program",
      mend: "a peer takes free ones by itself; firewalls must know them: --listen, --api")
  }

  private static func peer(_ facts: CheckupFacts) -> Finding {
    switch facts.peer {
    case .none: Finding(.good, "peer", "none runs: `shoal peer` starts one")
    case .silent(let address):
      Finding(
        .fault, "peer", "nothing answers at \(address), where the peer of this directory was",
        mend: "it was killed: start it again with `shoal peer`")
    case .running(let address, nil): Finding(.good, "peer", "runs at \(address) and takes jobs")
    case .running(let address, let trouble?):
      Finding(.fault, "peer", "runs at \(address): \(trouble)", mend: "start it again, or wait")
    }
  }

  private static func portMapping(_ facts: CheckupFacts) -> Finding? {
    guard let mapping = facts.portMapping else { return nil }
    if let address = mapping.address {
      let method = mapping.method ?? "request"
      return Finding(.good, "router", "lets others in at \(address), asked by \(method)")
    }
    guard let trouble = mapping.trouble else {
      return Finding(.good, "router", "was asked to let others in, and has not answered yet")
    }
    // It works without, by calls and relays.
    return Finding(.good, "router", "lets nobody in: \(trouble)")
  }

  private static func ways(_ facts: CheckupFacts) -> Finding? {
    guard let ways = facts.ways, ways != .init(direct: 0, called: 0, relayed: 0, unreached: 0)
    else {
      return nil
    }
    let parts = [
      (ways.direct, "reached directly"), (ways.called, "that dial when asked"),
      (ways.relayed, "through a relay"), (ways.unreached, "not reached"),
    ].filter { $0.0 > 0 }
    let text = "peers: " + parts.map { "\($0.0) \($0.1)" }.joined(separator: ", ")
    guard ways.relayed + ways.unreached > 0 else { return Finding(.good, "reach", text) }
    return Finding(
      .warning, "reach", text,
      mend: "forward port 7432 (TCP and UDP) at the router to this machine, or use IPv6")
  }
}
