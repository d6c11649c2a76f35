// Secret keys in the data directory: plain, for their owner's eyes only, or sealed by a password.

import Foundation
import ShoalNode
import ShoalSecurity
import ShoalSystem

enum KeyFile {
  /// Opens sealed keys without asking, for services.
  static let passwordVariable = "SHOAL_PASSWORD"

  /// Nil: there is none.
  static func read(_ name: String, _ documents: DirectoryDocuments) throws -> SecretBytes? {
    guard let bytes = try documents.read(name) else { return nil }
    guard let sealed = SealedKey(bytes) else { return SecretBytes(bytes) }
    do {
      return try sealed.open(password: try password("password of \(documents.path)/\(name): "))
    } catch let error as SealedKeyError {
      throw UserError("\(documents.path)/\(name): \(error)")
    }
  }

  /// Seals what is plain, or opens what is sealed.
  static func rewrite(
    _ name: String, _ documents: DirectoryDocuments, isSealed: Bool
  ) throws -> Bool {
    guard let bytes = try documents.read(name) else { return false }
    guard (SealedKey(bytes) != nil) != isSealed else { return false }
    if isSealed {
      let password = try password("new password: ")
      guard password.count > 0 else { throw UserError("an empty password protects nothing") }
      if ProcessInfo.processInfo.environment[passwordVariable] == nil {
        guard try self.password("once more: ").isEqual(to: password) else {
          throw UserError("the two passwords differ; nothing was changed")
        }
      }
      var generator = RandomSourceGenerator(Entropy())
      let sealed = try SealedKey(SecretBytes(bytes), password: password, using: &generator)
      try documents.write(name, sealed.bytes, isSecret: true)
    } else {
      guard let secret = try read(name, documents) else { return false }
      try documents.write(name, secret.exposed, isSecret: true)
    }
    return true
  }

  private static func password(_ prompt: String) throws -> SecretBytes {
    if let text = ProcessInfo.processInfo.environment[passwordVariable] {
      return SecretBytes(Array(text.utf8))
    }
    guard let typed = Terminal.secret(prompt) else {
      throw UserError("a sealed key needs its password: \(passwordVariable), or a terminal")
    }
    return SecretBytes(Array(typed.utf8))
  }
}
