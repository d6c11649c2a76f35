// Secret keys in the data directory: plain, for their owner's eyes only, or sealed by a password.

import Foundation
import ShoalNode
public import ShoalSecurity
public import ShoalSystem

/// Asks a person for a password; nil where nobody answers.
public typealias PasswordSource = @Sendable (_ prompt: String) -> SecretBytes?

public enum KeyFile {
  /// Opens sealed keys without asking, for services.
  public static let passwordVariable = "SHOAL_PASSWORD"

  /// Nil: there is none.
  public static func read(
    _ name: String, _ documents: DirectoryDocuments, _ ask: PasswordSource
  ) throws -> SecretBytes? {
    guard let bytes = try documents.read(name) else { return nil }
    guard let sealed = SealedKey(bytes) else { return SecretBytes(bytes) }
    let path = "\(documents.path)/\(name)"
    let password = try password("password of \(path): ", ask)
    do throws(SealedKeyError) {
      return try sealed.open(password: password)
    } catch {
      throw PeerError.sealedKey(path: path, error)
    }
  }

  /// Seals what is plain, or opens what is sealed. False: there was nothing to do.
  public static func rewrite(
    _ name: String, _ documents: DirectoryDocuments, isSealed: Bool, _ ask: PasswordSource
  ) throws -> Bool {
    guard let bytes = try documents.read(name) else { return false }
    guard (SealedKey(bytes) != nil) != isSealed else { return false }
    if isSealed {
      let password = try password("new password: ", ask)
      guard password.count > 0, try self.password("once more: ", ask).isEqual(to: password) else {
        throw PeerError.passwordsDiffer
      }
      var generator = RandomSourceGenerator(Entropy())
      let sealed = try SealedKey(SecretBytes(bytes), password: password, using: &generator)
      try documents.write(name, sealed.bytes, isSecret: true)
    } else {
      guard let secret = try read(name, documents, ask) else { return false }
      try documents.write(name, secret.exposed, isSecret: true)
    }
    return true
  }

  private static func password(_ prompt: String, _ ask: PasswordSource) throws -> SecretBytes {
    if let text = ProcessInfo.processInfo.environment[passwordVariable] {
      return SecretBytes(Array(text.utf8))
    }
    guard let typed = ask(prompt) else { throw PeerError.passwordNeeded }
    return typed
  }
}
