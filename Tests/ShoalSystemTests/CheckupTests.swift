// What a checkup makes of facts: each trouble is found, with a mend, and a sound machine has none.

import ShoalSystem
import Testing

struct CheckupTests {
  private static let sound: CheckupFacts = {
    var facts = CheckupFacts()
    facts.directory = "/data"
    facts.freeBytes = 100 << 30
    facts.identityBytes = 32
    facts.profileDays = 3
    facts.usableBytes = 4 << 30
    facts.availableBytes = 6 << 30
    facts.kernel = "avx2"
    facts.openFiles = 8_192
    facts.addresses = ["192.0.2.7"]
    facts.blobs = 9
    return facts
  }()

  @Test func `a sound machine has nothing to mend`() {
    let findings = Checkup.findings(Self.sound)
    #expect(findings.count >= 11)
    #expect(findings.allSatisfy { $0.grade == .good && $0.mend == nil })
  }

  struct Trouble: Sendable, CustomTestStringConvertible {
    let subject: String
    let grade: Finding.Grade
    let change: @Sendable (inout CheckupFacts) -> Void
    init(
      _ subject: String, _ grade: Finding.Grade,
      _ change: @escaping @Sendable (inout CheckupFacts) -> Void
    ) {
      (self.subject, self.grade, self.change) = (subject, grade, change)
    }
    var testDescription: String { "\(subject), \(grade)" }
  }

  static let troubles = [
    Trouble("data directory", .fault) { $0.directoryState = .notWritable },
    Trouble("data directory", .warning) { $0.directoryState = .open(mode: 0o755) },
    Trouble("disk", .warning) { $0.freeBytes = 1 << 20 },
    Trouble("identity", .fault) { $0.identityBytes = 31 },
    Trouble("secret files", .warning) { $0.looseFiles = [.init(name: "identity", mode: 0o644)] },
    Trouble("store", .fault) { $0.damaged = 1 },
    Trouble("store", .warning) { $0.quarantined = 2 },
    Trouble("memory", .warning) { $0.availableBytes = 1 << 30 },
    Trouble("profile", .warning) { $0.profileDays = 400 },
    Trouble("kernels", .warning) { $0.hasVectorKernel = false },
    Trouble("limits", .warning) { $0.openFiles = 256 },
    Trouble("network", .fault) { $0.network = .unreadable(reason: "line 3") },
    Trouble("addresses", .warning) { $0.addresses = [] },
    Trouble("ports", .warning) { $0.takenPorts = [7432] },
    Trouble("peer", .fault) { $0.peer = .silent(address: "127.0.0.1:7434") },
    Trouble("peer", .fault) { $0.peer = .running(address: "127.0.0.1:7434", trouble: "full") },
  ]

  @Test(arguments: troubles)
  func `each trouble is found by itself, and its mend is said`(_ trouble: Trouble) throws {
    var facts = Self.sound
    trouble.change(&facts)
    let findings = Checkup.findings(facts).filter { $0.grade != .good }
    #expect(findings.map(\.subject) == [trouble.subject])
    #expect(findings.first?.grade == trouble.grade)
    #expect(findings.first?.mend?.isEmpty == false)
  }
}
