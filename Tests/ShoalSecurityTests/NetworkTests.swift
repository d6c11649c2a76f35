// Networks, their keys, beacons and invites: what is let in, and what typed error else.
import ShoalProtocol
import ShoalSecurity
import Testing

@Suite struct NetworkTests {
  static let now = UnixTime(seconds: 1_900_000_000)

  static func club(_ generator: inout SeededGenerator) throws -> NetworkDescriptor {
    try NetworkDescriptor(
      name: "club", admission: .invite, salt: BLAKE2b.hash([1]),
      privateKey: NetworkKey(using: &generator),
      bootstrap: ["shoal.example:7433", "[2001:db8::1]:7433"], peers: 64,
      ledger: NetworkLedger(backend: "embedded", settings: ["b": "2", "a": "1"]))
  }

  @Test func theIdCommitsToAllButTheAddresses() throws {
    let salt = BLAKE2b.hash([1])
    var generator = SeededGenerator(seed: 1)
    let key = NetworkKey(using: &generator)
    let descriptors = [
      try NetworkDescriptor(name: "club", admission: .open),
      try NetworkDescriptor(name: "clubs", admission: .open),
      try NetworkDescriptor(name: "club", admission: .open, salt: salt),
      try NetworkDescriptor(name: "club", admission: .open, peers: 8),
      try NetworkDescriptor(name: "club", admission: .invite, privateKey: key),
      try NetworkDescriptor(name: "club", admission: .key, privateKey: key),
      try NetworkDescriptor(
        name: "club", admission: .key, privateKey: NetworkKey(using: &generator)),
      try NetworkDescriptor(
        name: "club", admission: .open, ledger: NetworkLedger(backend: "evm")),
      try NetworkDescriptor(
        name: "club", admission: .open, ledger: NetworkLedger(backend: "evm", settings: ["a": "b"])),
      NetworkDescriptor.lan,
    ]
    #expect(Set(descriptors.map(\.id)).count == descriptors.count)
    let moved = try NetworkDescriptor(
      name: "club", admission: .open, bootstrap: ["192.0.2.1:7433"])
    #expect(moved.id == descriptors[0].id)
  }

  @Test func descriptorsThatMakeNoSenseAreRefused() {
    var generator = SeededGenerator(seed: 2)
    let key = NetworkKey(using: &generator)
    let long = String(repeating: "x", count: 65)
    let refused: [(DescriptorError, () throws(DescriptorError) -> Void)] = [
      (
        .keyMissing(.key),
        { () throws(DescriptorError) in _ = try NetworkDescriptor(name: "a", admission: .key) }
      ),
      (
        .keyNotExpected,
        { () throws(DescriptorError) in
          _ = try NetworkDescriptor(name: "a", admission: .open, privateKey: key)
        }
      ),
      (
        .empty(field: "name"),
        { () throws(DescriptorError) in _ = try NetworkDescriptor(name: "", admission: .open) }
      ),
      (
        .tooLong(field: "name", limit: 64, count: 65),
        { () throws(DescriptorError) in _ = try NetworkDescriptor(name: long, admission: .open) }
      ),
      (
        .outOfRange(field: "peers", limit: Limits.peers, value: 1),
        { () throws(DescriptorError) in
          _ = try NetworkDescriptor(name: "a", admission: .open, peers: 1)
        }
      ),
    ]
    for (expected, make) in refused { #expect(failure(make) == expected) }
  }

  @Test func beaconsOpenUnderTheirNetworksKeyOnly() throws {
    var generator = SeededGenerator(seed: 3)
    let (ours, theirs) = (NetworkKey(using: &generator), NetworkKey(using: &generator))
    let seal = BeaconSeal(ours)
    for count in [0, 1, 100, BeaconSeal.payloadLimit] {
      let payload = (0..<count).map { UInt8($0 % 256) }
      let beacon = try seal.seal(payload, using: &generator)
      #expect(beacon.count == BeaconSeal.sealedBytes)
      #expect(try seal.open(beacon) == payload)
      #expect(try seal.seal(payload, using: &generator) != beacon)
      #expect(throws: BeaconError.notAuthentic) { try BeaconSeal(theirs).open(beacon) }
      for position in beacon.indices {
        var mangled = beacon
        mangled[position] ^= 0x40
        #expect(throws: BeaconError.self) { try seal.open(mangled) }
        #expect(throws: BeaconError.wrongSize(bytes: position)) {
          try seal.open(Array(beacon.prefix(position)))
        }
      }
    }
    let limit = BeaconSeal.payloadLimit
    #expect(throws: BeaconError.tooLong(limit: limit, bytes: limit + 1)) {
      try seal.seal([UInt8](repeating: 0, count: limit + 1), using: &generator)
    }
  }

  @Test func anInviteCarriesItsNetworkThroughText() throws {
    var generator = SeededGenerator(seed: 4)
    let club = try NetworkTests.club(&generator)
    let issuer = PeerIdentity(using: &generator)
    let invite = Invite(
      to: club, by: issuer, expiresAt: UnixTime(seconds: 1_900_000_100), useLimit: 3,
      using: &generator)
    let text = invite.text
    let allowed = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")
    #expect(text.allSatisfy { allowed.contains($0) })
    // The largest QR code holds 4,296 alphanumeric characters at its lowest level of correction.
    #expect(text.count < 700)
    let wrapped = text.lowercased().enumerated().map { index, character in
      index % 40 == 39 ? "\(character)\n" : "\(character)"
    }.joined()
    for form in [text, wrapped] {
      let read = try Invite(text: form)
      #expect(read.network.id == club.id)
      #expect(read.network.bootstrap == club.bootstrap)
      #expect(read.network.ledger == club.ledger)
      #expect(read.issuer == issuer.id && read.serial == invite.serial)
      let (mine, theirs) = (club.privateKey, read.network.privateKey)
      #expect(try #require(mine).secret.isEqual(to: try #require(theirs).secret))
    }
    try invite.check(at: NetworkTests.now, uses: 2)
    #expect(throws: InviteError.usedUp(limit: 3)) {
      try invite.check(at: NetworkTests.now, uses: 3)
    }
    let late = UnixTime(seconds: 1_900_000_100)
    #expect(throws: InviteError.expired(at: late, now: late)) {
      try invite.check(at: late, uses: 0)
    }
  }

  @Test func mangledInvitesAreRefused() throws {
    var generator = SeededGenerator(seed: 5)
    let invite = Invite(
      to: try NetworkTests.club(&generator), by: PeerIdentity(using: &generator),
      expiresAt: NetworkTests.now, useLimit: 1, using: &generator)
    let bytes = invite.bytes
    for position in bytes.indices {
      var mangled = bytes
      mangled[position] ^= UInt8(1) << UInt8(generator.next() % 8)
      #expect(throws: InviteError.self) { try Invite(mangled) }
      #expect(throws: InviteError.self) { try Invite(Array(bytes.prefix(position))) }
    }
    for _ in 0..<300 {
      let noise = (0..<Int(generator.next() % 300)).map { _ in
        UInt8(truncatingIfNeeded: generator.next())
      }
      #expect(throws: InviteError.self) { try Invite(noise) }
    }
    let text = Array(invite.text)
    for position in text.indices {
      var mangled = text
      mangled[position] = text[position] == "A" ? "B" : "A"
      #expect(throws: InviteError.self) { try Invite(text: String(mangled)) }
      mangled.remove(at: position)
      #expect(throws: InviteError.self) { try Invite(text: String(mangled)) }
    }
    #expect(throws: InviteError.text(.wrongPrefix)) { try Invite(text: "") }
    #expect(throws: InviteError.text(.notBase32(position: 5))) { try Invite(text: "SHOAL0AAAAAAA") }
    #expect(throws: InviteError.text(.incomplete(characters: 6))) { try Invite(text: "SHOALA") }
    let endless = String(repeating: "A", count: 100_000)
    #expect(throws: InviteError.self) { try Invite(text: endless) }
  }
}
