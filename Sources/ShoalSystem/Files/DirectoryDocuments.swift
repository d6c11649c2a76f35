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
    // A name of its own: two processes may write one document, and the later one stands.
    let beside = "\(path)/.\(name).\(UUID().uuidString)"
    try NewFile.write(beside, bytes, isSecret: isSecret)
    do throws(SystemCallError) {
      try NewFile.move(beside, onto: "\(path)/\(name)")
    } catch {
      try? FileManager.default.removeItem(atPath: beside)
      throw error
    }
  }
}
