// Network descriptors as files: the keys of `NetworkDescriptor.fields`.

import ShoalProtocol
public import ShoalSecurity

extension NetworkDescriptor {
  /// Reads a descriptor.
  public init(file: String) throws(ConfigurationError) {
    try self.init(TOMLConfiguration.read(file: file))
  }

  /// Takes all keys of `table`; an unknown one is refused.
  public init(_ table: ConfigurationTable) throws(ConfigurationError) {
    var table = table
    let name = try table.string("name")
    let word = try table.string("admission")
    guard let admission = Admission.allCases.first(where: { $0.name == word }) else {
      throw .notOneOf(
        file: table.file, key: "admission", value: word,
        allowed: Admission.allCases.map(\.name))
    }
    let salt = try table.hexadecimal("salt") ?? .zero
    let secret = try table.hexadecimal("key").map { SecretBytes($0.bytes) }
    let bootstrap = try table.strings("bootstrap")
    let peers: Int = try table.optionalInteger("peers", atLeast: 2) ?? Limits.peers
    var ledger: NetworkLedger?
    if var section = try table.optionalTable("ledger") {
      ledger = NetworkLedger(
        backend: try section.string("backend"), settings: try section.remainingStrings())
    }
    try table.finish()
    do throws(DescriptorError) {
      try self.init(
        name: name, admission: admission, salt: salt,
        privateKey: secret.flatMap { NetworkKey($0) }, bootstrap: bootstrap, peers: peers,
        ledger: ledger)
    } catch {
      throw .descriptor(file: table.file, error)
    }
  }

  /// The file that `init(file:)` reads back. It holds the network's key, where there is one: for
  /// its members' eyes only.
  public var fileText: String {
    var lines = [
      "name = \(TOMLConfiguration.quoted(name))", "admission = \"\(admission.name)\"",
      "salt = \"\(salt.hex)\"",
    ]
    if let privateKey { lines.append("key = \"\(Hex.encode(privateKey.secret.exposed))\"") }
    let addresses = bootstrap.map { TOMLConfiguration.quoted($0) }.joined(separator: ", ")
    lines += ["bootstrap = [\(addresses)]", "peers = \(peers)"]
    if let ledger {
      lines += ["", "[ledger]", "backend = \(TOMLConfiguration.quoted(ledger.backend))"]
      for (key, value) in ledger.settings.sorted(by: { $0.key < $1.key }) {
        lines.append("\(TOMLConfiguration.quoted(key)) = \(TOMLConfiguration.quoted(value))")
      }
    }
    return lines.joined(separator: "\n") + "\n"
  }
}

extension ConfigurationTable {
  /// 64 hexadecimal digits; nil where the key is absent. Errors do not repeat the value: it may be
  /// a secret.
  fileprivate mutating func hexadecimal(
    _ key: String
  ) throws(ConfigurationError) -> Bytes32? {
    guard let text = try optionalString(key) else { return nil }
    guard let bytes = Bytes32(hex: text) else {
      throw .wrongType(
        file: file, key: key, expected: "64 hexadecimal digits",
        found: "\(text.utf8.count) other characters")
    }
    return bytes
  }
}

extension TOMLConfiguration {
  /// A basic string of TOML v1.0, with what must be escaped escaped.
  static func quoted(_ text: String) -> String {
    var quoted = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"", "\\": quoted += "\\\(scalar)"
      case _ where scalar.value < 0x20 || scalar.value == 0x7f:
        let hex = String(scalar.value, radix: 16)
        quoted += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
      case _: quoted.unicodeScalars.append(scalar)
      }
    }
    return quoted + "\""
  }
}
