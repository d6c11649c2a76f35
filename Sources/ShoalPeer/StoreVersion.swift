// Which layout a data directory has, and how one of an older layout becomes one of this
// (docs/OPERATING.md lists the versions).

import ShoalLedger
import ShoalNode
import ShoalProtocol
import ShoalSystem

/// What became of a store of an older version.
public struct StoreMigration: Hashable, Sendable {
  public let from: UInt32
  public let to: UInt32
  /// Of this peer, which its log says now. Those of others come from the others.
  public let names: Int
}

struct StoreVersion {
  /// What this program writes.
  static let current: UInt32 = 2
  /// Holds the number, as text. A directory of version 1 has none, and neither has a new one.
  static let document = "version"
  /// Names, in version 1.
  static let formerRegistry = "registry"
  /// What becomes of it: nothing reads it, and it may be deleted.
  static let formerRegistryKept = "registry.1"

  private let found: UInt32?

  /// - Throws: `PeerError.newerStore` where this program must not touch the directory.
  init(of documents: DirectoryDocuments) throws {
    guard let bytes = try documents.read(Self.document) else {
      found = nil
      return
    }
    let text = String(decoding: bytes.prefix(32), as: UTF8.self)
    guard let version = UInt32(text.filter { !$0.isWhitespace }), version > 0 else {
      throw PeerError.damagedDocument(
        path: "\(documents.path)/\(Self.document)", .invalid(field: "version"))
    }
    guard version <= Self.current else {
      throw PeerError.newerStore(path: documents.path, version: version, known: Self.current)
    }
    found = version
  }

  /// Brings the directory to this version. Each step can be done again: a migration that is
  /// interrupted begins anew at the next start.
  ///
  /// - Returns: nil where it is of this version, or new.
  func migrate(_ documents: DirectoryDocuments, _ log: RegistryLog) throws -> StoreMigration? {
    // Looked for in any version: a program that knows none may have been used once more.
    let names = try Self.carryOverNames(documents, log)
    if found != Self.current {
      try documents.write(Self.document, Array("\(Self.current)\n".utf8), isSecret: false)
    }
    return names.map { StoreMigration(from: 1, to: Self.current, names: $0) }
  }

  /// Version 1 to 2: from entries by name to logs of authors. Nil: there is no such document.
  private static func carryOverNames(
    _ documents: DirectoryDocuments, _ log: RegistryLog
  ) throws -> Int? {
    guard let bytes = try documents.read(formerRegistry) else { return nil }
    let former: FormerRegistry
    do throws(WireError) {
      former = try FormerRegistry(bytes: bytes)
    } catch {
      throw PeerError.damagedDocument(path: "\(documents.path)/\(formerRegistry)", error)
    }
    let names = try log.carryOver(former)
    try documents.write(formerRegistryKept, bytes, isSecret: false)
    try documents.remove(formerRegistry)
    return names
  }
}
