// One peer of a simulated control plane: the cores that ship, and what a process has besides.

internal import ShoalNode
internal import ShoalProtocol

/// What travels between simulated peers. Sealing and handshakes are left out: a datagram is
/// believed to come from where it says, and one with a flipped bit does not open.
enum Packet {
  /// Asks who is there; the answer names its sender.
  case hello(from: PeerID)
  case helloAnswer(from: PeerID)
  case beacon([UInt8])
  case gossip([UInt8], from: PeerID)

  var byteCount: Int {
    switch self {
    case .hello, .helloAnswer: 120
    case .beacon(let bytes), .gossip(let bytes, _): bytes.count
    }
  }
}

/// Atoms that outlive a process.
struct AtomDisk {
  private(set) var atoms: Set<Int> = []
  /// What was there at earlier times, the earliest first.
  private var past: [(at: Moment, atoms: Set<Int>)] = []

  mutating func keep(_ atom: Int, at now: Moment) {
    past.append((now, atoms))
    if past.count > 256 { past.removeFirst() }
    atoms.insert(atom)
  }

  mutating func lose(_ atom: Int) { atoms.remove(atom) }

  mutating func rollBack(to moment: Moment) {
    guard let index = past.firstIndex(where: { $0.at > moment }) else { return }
    atoms = past[index].atoms
    past.removeSubrange(index...)
  }

  mutating func wipe() { (atoms, past) = ([], []) }
}

struct ControlPeer {
  enum State: Hashable {
    case absent, running, crashed, left
  }

  let number: Int
  var id: PeerID
  let endpoint: Endpoint
  var clock: LocalClock
  /// What it can do; the version rises with each publication.
  var record: CapabilityRecord
  var state = State.absent
  /// Counts starts: what was meant for an earlier process is void.
  var process = 0

  var directory: PeerDirectory
  var core: MembershipCore
  var epochs = EpochTracker()
  var watch = EpochWatch()
  var disk = AtomDisk()
  var store = StoreProgress()

  /// The wake-up that counts: later ones in the agenda are void.
  var wake: Moment?
  /// What the directory wants, read when it has changed.
  var directoryDeadline: Moment?
  /// Handles nothing before; a stalled or slow peer lets datagrams wait.
  var busyUntil = Moment(nanoseconds: .min)
  var isStalled = false
  var perEvent = Duration.zero
  var inbox: [Packet] = []
  var origins: [Endpoint] = []
  var drainIsDue = false
  /// Whether it was ever replaced by, or is, a second process of one identity.
  var isTwin = false

  var isRunning: Bool { state == .running }

  init(
    number: Int, id: PeerID, record: CapabilityRecord, clock: LocalClock,
    read: @escaping RecordReading
  ) {
    self.number = number
    self.id = id
    self.record = record
    self.clock = clock
    endpoint = .simulated(number)
    directory = PeerDirectory(peer: id)
    core = MembershipCore(peer: id, read: read)
  }

  /// Forgets what a process knows; the disk stays.
  mutating func restartProcess(read: @escaping RecordReading) {
    process += 1
    directory = PeerDirectory(peer: id)
    core = MembershipCore(peer: id, read: read)
    epochs = EpochTracker()
    watch = EpochWatch()
    store = StoreProgress()
    (wake, directoryDeadline, isStalled, perEvent) = (nil, nil, false, .zero)
    busyUntil = Moment(nanoseconds: .min)
    inbox = []
    origins = []
    drainIsDue = false
  }
}

/// How far a peer has come with what is to be on its disk.
struct StoreProgress {
  var assigned: Set<Int> = []
  /// Of the present view.
  var members: [PeerID] = []
  var search = HolderSearch()
  var isFetching = false
  var retryIsDue = false
  /// Since when neither the members nor what is to be here have changed.
  var calmSince = Moment(nanoseconds: 0)
  var keeping = AtomKeeping()
  /// Rounds of asking others to keep what is to go; the next begins where that one ended.
  var roomTurns = 0
  var isMakingRoom = false
  var roomIsDue = false
}

extension Endpoint {
  /// The address of a simulated peer, and back.
  static func simulated(_ number: Int) -> Endpoint {
    let bytes: [UInt8] = [
      10, UInt8(truncatingIfNeeded: number >> 16), UInt8(truncatingIfNeeded: number >> 8),
      UInt8(truncatingIfNeeded: number),
    ]
    guard let endpoint = Endpoint(address: bytes, port: 7_433) else {
      preconditionFailure("four bytes are an address")
    }
    return endpoint
  }

  var simulatedNumber: Int? {
    guard let ipv4, ipv4 >> 24 == 10 else { return nil }
    return Int(ipv4 & 0xff_ffff)
  }
}
