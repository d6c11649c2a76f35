// `shoal net`: networks beyond the LAN, as descriptors and invites.

import ArgumentParser
import Foundation
import ShoalProtocol
import ShoalSecurity
import ShoalSystem

struct NetCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "net", abstract: "Makes, shows and joins networks.",
    subcommands: [
      NetCreateCommand.self, NetShowCommand.self, NetInviteCommand.self, NetJoinCommand.self,
    ])
}

extension Admission {
  /// As the command line spells it.
  static func parse(_ word: String) throws -> Admission {
    guard let admission = allCases.first(where: { $0.name == word }) else {
      throw ValidationError(
        "--admission is one of \(allCases.map(\.name).joined(separator: ", ")), not \(word)")
    }
    return admission
  }
}

/// A network that a command is about: what was named, else the one that the data directory joined.
struct NetworkArgument: ParsableArguments {
  @Argument(
    help: """
      lan, a descriptor file or an invite (default: the network that the data directory joined, \
      else lan).
      """)
  var network: String?

  func source(_ data: DataDirectory) throws -> NetworkSource {
    if let network { return try NetworkSource(network) }
    let documents = try DirectoryDocuments(path: data.url.path)
    return try NetworkDescriptor.joined(documents).map { .file($0) } ?? .lan
  }
}

/// `net show --json`; the key only where it was asked for.
struct NetworkFactsOutput: Encodable {
  struct Ledger: Encodable {
    let backend: String
    let settings: [String: String]
  }
  struct InviteOutput: Encodable {
    let issuer: String
    let serial: String
    let expires: String
    let uses: UInt16
    let isExpired: Bool
  }

  let name: String
  let id: String
  let admission: String
  let bootstrap: [String]
  let peers: Int
  let ledger: Ledger?
  let key: String?
  let invite: InviteOutput?

  init(_ source: NetworkSource, withKey: Bool) {
    let network = source.network
    name = network.name
    id = network.id.raw.hex
    admission = network.admission.name
    bootstrap = network.bootstrap
    peers = network.peers
    ledger = network.ledger.map { Ledger(backend: $0.backend, settings: $0.settings) }
    key = withKey ? network.privateKey.map { Hex.encode($0.secret.exposed) } : nil
    switch source {
    case .lan, .file: invite = nil
    case .invite(let invite): self.invite = InviteOutput(invite)
    }
  }

  /// One fact a line, for people.
  var lines: [String] {
    var facts = [
      ("name", name), ("id", id), ("admission", admission),
      (
        "bootstrap",
        bootstrap.isEmpty ? "none: found on the LAN" : bootstrap.joined(separator: ", ")
      ),
      ("peers", "at most \(peers)"), ("ledger", ledger?.backend ?? "embedded"),
    ]
    if let key { facts.append(("key", key)) }
    if let invite {
      facts += [
        ("issued by", invite.issuer),
        ("expires", invite.expires + (invite.isExpired ? " (it has)" : "")),
        ("uses", "\(invite.uses)"),
      ]
    }
    return facts.map { "\($0.padding(toLength: 10, withPad: " ", startingAt: 0))  \($1)" }
  }
}

extension NetworkFactsOutput.InviteOutput {
  init(_ invite: Invite) {
    let expires = Date(timeIntervalSince1970: Double(invite.expiresAt.seconds))
    self.init(
      issuer: invite.issuer.raw.hex, serial: Hex.encode(invite.serial),
      expires: expires.formatted(.iso8601), uses: invite.useLimit,
      isExpired: !(UnixTime.now() < invite.expiresAt))
  }
}
