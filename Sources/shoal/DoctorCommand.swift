// `shoal doctor`: what is wrong with this machine, network or store, and the mend. Exits with 1
// where something does not work.

import ArgumentParser
import Foundation
import ShoalGateway
import ShoalInference
import ShoalProtocol
import ShoalSecurity
import ShoalSystem

extension CheckupFacts.Ways {
  /// Of the others that are alive.
  fileprivate init(_ peers: [PeerFacts]) {
    let others = peers.filter { !$0.isSelf && $0.state == "alive" }
    let count = { (way: String?) in others.count { $0.way == way } }
    self.init(
      direct: count("direct"), called: count("called"), relayed: count("relayed"),
      unreached: count(nil))
  }
}

struct DoctorCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor",
    abstract: "Looks for what is wrong with this machine, network or store, and says the mend.")

  @Flag(help: "Read every blob of the store and check it.") var deep = false
  @Flag(help: "Print facts as JSON.") var json = false
  @OptionGroup var data: DataDirectory

  private struct Facts: Encodable {
    let grade: String
    let subject: String
    let text: String
    let mend: String?
  }

  func run() async throws {
    let findings = Checkup.findings(try await facts())
    if json {
      try JSONOutput.print(
        findings.map {
          Facts(grade: $0.grade.rawValue, subject: $0.subject, text: $0.text, mend: $0.mend)
        })
    } else {
      let width = findings.map(\.subject.count).max() ?? 0
      for finding in findings { print(line(finding, width)) }
    }
    if findings.contains(where: { $0.grade == .fault }) { throw ExitCode(1) }
  }

  private func line(_ finding: Finding, _ width: Int) -> String {
    let subject = finding.subject.padding(toLength: width, withPad: " ", startingAt: 0)
    let sign =
      switch finding.grade {
      case .good: Terminal.green("ok  ")
      case .warning: Terminal.yellow("warn")
      case .fault: Terminal.red("bad ")
      }
    let mend = finding.mend.map { "\n" + String(repeating: " ", count: width + 8) + "→ " + $0 }
    return "\(sign)  \(subject)  \(finding.text)\(mend ?? "")"
  }

  // MARK: Looking

  private func facts() async throws -> CheckupFacts {
    var facts = CheckupFacts()
    let path = data.url.path
    facts.directory = path
    facts.directoryState = directoryState(path)
    facts.openFiles = MachineLimits.openFiles()
    facts.addresses = MachineLimits.addresses()
    let device = DeviceProbe.facts()
    facts.cores = device.cores
    facts.availableBytes = device.availableMemory.bytes
    facts.kernel = KernelPath.best.rawValue
    facts.hasVectorKernel = KernelPath.best != .reference
    facts.profileDays = MachineLimits.ageInDays(of: "\(path)/profile.toml")
    if facts.profileDays != nil, let profile = try? DeviceProfile(file: "\(path)/profile.toml") {
      facts.usableBytes = profile.usableMemory.bytes
    }
    facts.peer = await peerState(&facts)
    facts.takenPorts = [7432, 7434].filter { port in
      Endpoint("0.0.0.0:\(port)").map { !MachineLimits.isFree($0) } ?? false
    }
    if facts.directoryState != .absent, facts.directoryState != .notWritable {
      try lookInside(path, &facts)
    }
    return facts
  }

  private func directoryState(_ path: String) -> CheckupFacts.Directory {
    guard let mode = MachineLimits.mode(of: path) else { return .absent }
    if !MachineLimits.mayWrite(path) { return .notWritable }
    return mode & 0o077 == 0 ? .good : .open(mode: mode)
  }

  private func lookInside(_ path: String, _ facts: inout CheckupFacts) throws {
    let identity = try? Data(contentsOf: data.url.appendingPathComponent("identity"))
    facts.identityBytes = identity?.count
    facts.isIdentitySealed = identity.map { SealedKey(Array($0)) != nil } ?? false
    for name in KeyCommand.documents + ["network.toml"] {
      guard let mode = MachineLimits.mode(of: "\(path)/\(name)"), mode & 0o077 != 0 else {
        continue
      }
      facts.looseFiles.append(CheckupFacts.LooseFile(name: name, mode: mode))
    }
    let documents = try DirectoryDocuments(path: path)
    do {
      facts.network =
        try NetworkDescriptor.joined(documents).map { CheckupFacts.Network.joined($0.name) }
        ?? .lan
    } catch {
      facts.network = .unreadable(reason: "\(error)")
    }
    let blobs = try unsafe DirectoryBlobStore(root: path, hash: BLAKE2b.contentHash)
    facts.freeBytes = try blobs.freeBytes().bytes
    let names = try blobs.list()
    facts.blobs = names.count
    let quarantine = data.url.appendingPathComponent("quarantine").path
    facts.quarantined =
      (try? FileManager.default.contentsOfDirectory(atPath: quarantine))?.count ?? 0
    guard deep else { return }
    var damaged = 0
    for (index, name) in names.enumerated() {
      let isSound = try blobs.verify(name)
      if !isSound { damaged += 1 }
      if Terminal.isInteractive { Terminal.printProgress("reading blobs", index + 1, names.count) }
    }
    Terminal.clearProgress()
    facts.damaged = damaged
  }

  private func peerState(_ facts: inout CheckupFacts) async -> CheckupFacts.Peer {
    let url = data.url.appendingPathComponent(PeerCommand.addressDocument)
    guard let text = try? String(contentsOf: url, encoding: .utf8),
      let address = Endpoint(text.trimmingCharacters(in: .whitespacesAndNewlines))
    else { return .none }
    let client = GatewayClient(
      address: address, key: ProcessInfo.processInfo.environment["SHOAL_API_KEY"])
    guard await client.isRunning() else { return .silent(address: "\(address)") }
    do {
      try await client.checkReady()
      let peers = try await client.peers()
      facts.ways = CheckupFacts.Ways(peers)
      facts.portMapping = peers.first(where: \.isSelf)?.portMapping.map {
        CheckupFacts.PortMapping(address: $0.address, method: $0.method, trouble: $0.trouble)
      }
      return .running(address: "\(address)", trouble: nil)
    } catch {
      return .running(address: "\(address)", trouble: "\(error)")
    }
  }
}
