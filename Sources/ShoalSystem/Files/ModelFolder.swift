// A directory of model files on disk, mapped file by file. Nothing outside of it is ever opened.

import Foundation
public import ShoalInference

/// The files under one directory. A link is followed where its end lies in the directory.
public struct ModelFolder: ModelDirectory {
  public let name: String
  /// The directory itself, all links resolved.
  private let root: String

  /// - Throws: `SystemCallError` naming the path where it is no directory.
  public init(path: String) throws(SystemCallError) {
    var isDirectory: ObjCBool = false
    guard unsafe FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
      throw SystemCallError(call: "open", subject: path, code: ENOENT)
    }
    guard isDirectory.boolValue else {
      throw SystemCallError(call: "open", subject: path, code: ENOTDIR)
    }
    name = path
    root = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
  }

  public func fileNames() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: root).sorted()
  }

  public func file(_ name: String) throws -> (any ByteSource)? {
    let parts = try parts(ofName: name)
    let path = ([root] + parts).joined(separator: "/")
    // A link that leads nowhere resolves to itself, and is then absent.
    let target = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
    guard FileManager.default.fileExists(atPath: target) else { return nil }
    guard target.hasPrefix(root + "/") else {
      throw ModelDirectoryError.leadsOut(name, directory: self.name, target: target)
    }
    return try MappedFile(path: target)
  }
}

extension ModelFiles {
  /// A directory, or a GGUF file.
  public init(path: String) throws {
    var isDirectory: ObjCBool = false
    let exists = unsafe FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory)
    self =
      try exists && isDirectory.boolValue
      ? .directory(ModelFolder(path: path)) : .gguf(MappedFile(path: path))
  }
}
