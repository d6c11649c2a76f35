// Small named files in one directory, replaced whole: written beside, synced, renamed.

import Foundation
public import ShoalNode

/// Documents in a directory that only this user can read.
public struct DirectoryDocuments: DocumentStore {
  public let path: String

  /// Makes the directory where there is none.
  public init(path: String) throws {
    self.path = path
    try FileManager.default.createDirectory(
      atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
  }

  public func read(_ name: String) throws -> [UInt8]? {
    let url = URL(fileURLWithPath: path).appendingPathComponent(name)
    guard FileManager.default.fileExists(atPath: url.path) else { return nil }
    return Array(try Data(contentsOf: url))
  }

  public func remove(_ name: String) throws {
    let url = URL(fileURLWithPath: path).appendingPathComponent(name)
    if FileManager.default.fileExists(atPath: url.path) {
      try FileManager.default.removeItem(at: url)
    }
  }

  public func write(_ name: String, _ bytes: [UInt8], isSecret: Bool) throws {
    let url = URL(fileURLWithPath: path).appendingPathComponent(name)
    try Data(bytes).write(to: url, options: .atomic)
    try FileManager.default.setAttributes(
      [.posixPermissions: isSecret ? 0o600 : 0o644], ofItemAtPath: url.path)
  }
}
