// How a person names a network, and where a peer keeps the one that it joined.

import Foundation
import ShoalNode
import ShoalProtocol
import ShoalSecurity
import ShoalSystem
import Testing

private let repository = URL(filePath: #filePath).deletingLastPathComponent()
  .deletingLastPathComponent().deletingLastPathComponent().path

private func privateNetwork() throws -> NetworkDescriptor {
  var generator = RandomSourceGenerator(Entropy())
  return try NetworkDescriptor(
    name: "home", admission: .invite, privateKey: NetworkKey(using: &generator),
    bootstrap: ["192.0.2.1:7432"])
}

private func invite(to network: NetworkDescriptor, seconds: UInt64) throws -> Invite {
  var generator = RandomSourceGenerator(Entropy())
  let identity = try #require(PeerIdentity(seed: SecretBytes(Entropy().bytes(32))))
  return Invite(
    to: network, by: identity, expiresAt: UnixTime(seconds: seconds), useLimit: 1,
    using: &generator)
}

@Suite struct NetworkSourceTests {
  @Test("lan, a file and an invite each name their network")
  func names() throws {
    #expect(try NetworkSource("lan").network.id == NetworkDescriptor.lan.id)
    let network = try privateNetwork()
    let folder = try TemporaryFolder()
    let file = try folder.file("home.toml", Array(network.fileText.utf8))
    #expect(try NetworkSource(file).network.id == network.id)
    let text = try invite(to: network, seconds: 4_000_000_000).text
    let read = try NetworkSource(text.lowercased()).network
    #expect(read.id == network.id)
    #expect(read.bootstrap == network.bootstrap)
  }

  @Test("what names no network says what would")
  func unknown() {
    let error = #expect(throws: NetworkSourceError.self) { try NetworkSource("homme.toml") }
    #expect(error == .unknown("homme.toml"))
    #expect(error?.description.contains("descriptor file") == true)
  }

  @Test("a mistyped invite is refused, one over its time only when it is used")
  func badInvites() throws {
    let network = try privateNetwork()
    let good = try invite(to: network, seconds: 100).text
    let mistyped = good.dropLast() + (good.hasSuffix("A") ? "E" : "A")
    #expect(throws: NetworkSourceError.self) { try NetworkSource(String(mistyped)) }
    let source = try NetworkSource(good)
    try source.check(at: UnixTime(seconds: 99))
    let now = UnixTime(seconds: 100 + 7_200)
    let expired = NetworkSourceError.invite(.expired(at: UnixTime(seconds: 100), now: now))
    let error = #expect(throws: NetworkSourceError.self) { try source.check(at: now) }
    #expect(error == expired)
    #expect(error?.description.contains("2 hours ago") == true)
  }

  @Test("the public descriptor is open and warns; private ones do not")
  func publicDescriptor() throws {
    let network = try NetworkSource("\(repository)/testnet/public.toml").network
    #expect(network.admission == .open)
    #expect(network.id != NetworkDescriptor.lan.id)
    #expect(!network.bootstrap.isEmpty)
    #expect(network.bootstrap.allSatisfy { Endpoint($0) != nil })
    #expect(network.warning?.contains("prompt") == true)
    #expect(try privateNetwork().warning == nil)
  }

  @Test("a data directory keeps the network that it joined, its key for its owner only")
  func join() throws {
    let folder = try TemporaryFolder()
    let documents = try DirectoryDocuments(path: folder.path)
    #expect(try NetworkDescriptor.joined(documents) == nil)
    let network = try privateNetwork()
    try network.join(documents)
    #expect(try NetworkDescriptor.joined(documents)?.id == network.id)
    let attributes = try FileManager.default.attributesOfItem(
      atPath: "\(folder.path)/network.toml")
    #expect(attributes[.posixPermissions] as? Int == 0o600)
    try NetworkDescriptor.lan.join(documents)
    #expect(try NetworkDescriptor.joined(documents)?.id == NetworkDescriptor.lan.id)
  }

  @Test("a new file is whole, as private as asked, and never written over another")
  func newFile() throws {
    let folder = try TemporaryFolder()
    for (isSecret, mode) in [(true, 0o600), (false, 0o644)] {
      let path = "\(folder.path)/\(mode)"
      try NewFile.write(path, [1, 2, 3], isSecret: isSecret)
      #expect(FileManager.default.contents(atPath: path) == Data([1, 2, 3]))
      let attributes = try FileManager.default.attributesOfItem(atPath: path)
      #expect(attributes[.posixPermissions] as? Int == mode)
      let error = #expect(throws: SystemCallError.self) {
        try NewFile.write(path, [4], isSecret: isSecret)
      }
      #expect(error?.code == EEXIST)
      #expect(FileManager.default.contents(atPath: path) == Data([1, 2, 3]))
    }
  }
}
