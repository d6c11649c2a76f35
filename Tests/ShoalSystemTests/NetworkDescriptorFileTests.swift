// Network descriptors as files: what is written is read, mistakes are named.

import ShoalProtocol
import ShoalSecurity
import ShoalSystem
import Testing

private let key = String(repeating: "5a", count: 32)

@Suite struct NetworkDescriptorFileTests {
  private func read(_ text: String) throws -> NetworkDescriptor {
    try NetworkDescriptor(TOMLConfiguration.parse(text, file: "x"))
  }

  @Test("a descriptor that was written is read back as the same network")
  func roundTrip() throws {
    let ledger = NetworkLedger(backend: "evm", settings: ["chain id": "1", "a\"b\\": "c\nd"])
    let open = try NetworkDescriptor(
      name: "\"quotes\" \\ and \u{7}", admission: .open,
      bootstrap: ["[2001:db8::1]:7433", "192.0.2.1:7433"], peers: 9, ledger: ledger)
    let closed = try read("name = \"home\"\nadmission = \"key\"\nkey = \"\(key)\"")
    for network in [open, closed, .lan] {
      let again = try read(network.fileText)
      #expect(again.id == network.id)
      #expect(again.bootstrap == network.bootstrap)
      #expect(again.ledger == network.ledger)
    }
    #expect(closed.id != NetworkDescriptor.lan.id)
  }

  static let mistakes: [(String, ConfigurationError)] = [
    ("admission = \"open\"", .missing(file: "x", key: "name")),
    (
      "name = \"n\"\nadmission = \"all\"",
      .notOneOf(file: "x", key: "admission", value: "all", allowed: ["open", "invite", "key"])
    ),
    (
      "name = \"n\"\nadmission = \"key\"", .descriptor(file: "x", .keyMissing(.key))
    ),
    (
      "name = \"n\"\nadmission = \"open\"\nkey = \"\(key)\"",
      .descriptor(file: "x", .keyNotExpected)
    ),
    (
      "name = \"n\"\nadmission = \"key\"\nkey = \"secret\"",
      .wrongType(
        file: "x", key: "key", expected: "64 hexadecimal digits", found: "6 other characters")
    ),
    (
      "name = \"n\"\nadmission = \"open\"\nbootstap = []", .unknown(file: "x", keys: ["bootstap"])
    ),
  ]

  @Test("a mistake is refused by file and key", arguments: mistakes)
  func mistake(text: String, error: ConfigurationError) {
    #expect(throws: error) { try read(text) }
  }
}
