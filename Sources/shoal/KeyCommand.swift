// `shoal key`: how this peer's secret keys lie on disk.

import ArgumentParser
import Foundation
import ShoalPeer
import ShoalSecurity
import ShoalSystem

struct KeyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "key", abstract: "Seals this peer's secret keys with a password, or opens them.",
    discussion: """
      Sealed keys are opened with SHOAL_PASSWORD, or asked for at the terminal. SHOAL_IDENTITY and \
      SHOAL_CHAIN_KEY, 64 hexadecimal digits each, stand for keys that lie nowhere on this disk.
      """,
    subcommands: [Show.self, Seal.self, Open.self], defaultSubcommand: Show.self)

  static let documents = ["identity", "chain-key"]

  struct Show: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Says which keys there are.")
    @OptionGroup var data: DataDirectory

    func run() throws {
      let documents = try DirectoryDocuments(path: data.url.path)
      var isSealed = false
      for name in KeyCommand.documents {
        guard let bytes = try documents.read(name) else { continue }
        isSealed = isSealed || SealedKey(bytes) != nil
        print("\(name): \(SealedKey(bytes) == nil ? "plain" : "sealed with a password")")
      }
      // The peer's name follows from its key: what is sealed needs no opening to be shown as such.
      if !isSealed { print("peer \(try data.open().identity.id)") }
    }
  }

  struct Seal: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Seals every key that lies plain: Argon2id, then secretbox.")
    @OptionGroup var data: DataDirectory

    func run() throws { try KeyCommand.rewrite(data, isSealed: true) }
  }

  struct Open: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Writes sealed keys plain again.")
    @OptionGroup var data: DataDirectory

    func run() throws { try KeyCommand.rewrite(data, isSealed: false) }
  }

  private static func rewrite(_ data: DataDirectory, isSealed: Bool) throws {
    let store = try data.open()
    var changed: [String] = []
    for name in documents
    where try KeyFile.rewrite(name, store.documents, isSealed: isSealed, store.password) {
      changed.append(name)
    }
    guard !changed.isEmpty else { return print("nothing to \(isSealed ? "seal" : "open")") }
    print("\(isSealed ? "sealed" : "opened"): \(changed.joined(separator: ", "))")
  }
}
