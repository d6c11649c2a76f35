// `shoal net create NAME`: a new network, as a descriptor file.

import ArgumentParser
import Foundation
import ShoalNode
import ShoalProtocol
import ShoalSecurity
import ShoalSystem

struct NetCreateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "create", abstract: "Makes a network and writes its descriptor.",
    discussion: """
      A private network (invite, key) has a key, and whoever holds it belongs: the file is written \
      so that only you can read it. An open network has none.
      """)

  @Argument(help: "What to call it.") var name: String
  @Option(help: "open, invite or key (default: invite).", transform: Admission.parse)
  var admission = Admission.invite
  @Option(
    parsing: .upToNextOption,
    help: "Where newcomers knock first: host:port or [IPv6 address]:port, of peers that stay.")
  var bootstrap: [String] = []
  @Option(help: "The descriptor file (default: the name with .toml).") var out: String?
  @Flag(help: "Print facts as JSON.") var json = false

  func run() throws {
    for address in bootstrap { try check(address) }
    var generator = RandomSourceGenerator(Entropy())
    let network: NetworkDescriptor
    do throws(DescriptorError) {
      network = try NetworkDescriptor(
        name: name, admission: admission, salt: Bytes32(Entropy().bytes(32)) ?? .zero,
        privateKey: admission == .open ? nil : NetworkKey(using: &generator), bootstrap: bootstrap)
    } catch {
      throw UserError("no such network: \(ConfigurationError.descriptor(file: name, error))")
    }
    let path = out ?? "\(fileStem).toml"
    try write(network, to: path)
    if json {
      try JSONOutput.print(NetworkFactsOutput(.file(network), withKey: false))
    } else {
      print("\(path): network \(network.name), \(network.id.raw.hex)")
      if let warning = network.warning { Terminal.printError(warning) }
      print("next: shoal net join \(path)")
    }
  }

  private func write(_ network: NetworkDescriptor, to path: String) throws {
    let isSecret = network.privateKey != nil
    do throws(SystemCallError) {
      try NewFile.write(path, Array(network.fileText.utf8), isSecret: isSecret)
    } catch {
      guard error.code == EEXIST else { throw error }
      throw UserError("\(path) is there already: name another file with --out")
    }
  }

  /// The name as a file's: what is no letter, digit, dot, hyphen or underscore becomes a hyphen.
  private var fileStem: String {
    let stem = String(
      name.map { $0.isASCII && ($0.isLetter || $0.isNumber || "._-".contains($0)) ? $0 : "-" })
    return stem.hasPrefix(".") ? "network\(stem)" : stem
  }

  /// A name may not resolve here and still be right; a port is always needed.
  private func check(_ address: String) throws {
    guard Endpoint(address) != nil || Endpoint.split(address) != nil else {
      throw UserError("--bootstrap \(AddressError.noPort(address))")
    }
  }
}
