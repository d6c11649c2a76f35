// The seam to a directory of model files: small files and mapped ones, by relative name.

/// Files under one directory. What a link or a name would reach outside of it is refused.
public protocol ModelDirectory: Sendable {
  /// What a person calls it, such as its path.
  var name: String { get }
  /// Names of the files at its top, sorted.
  func fileNames() throws -> [String]
  /// The file of a relative name, such as `config.json` or `1_Pooling/config.json`; nil where
  /// there is none.
  ///
  /// - Throws: `ModelDirectoryError` for a name or link that leads out; what the system reports.
  func file(_ name: String) throws -> (any ByteSource)?
}

/// Why a directory or a file in it was refused.
public enum ModelDirectoryError: Error, Hashable, Sendable {
  /// A name that is absolute, has `..` or is no plain relative path.
  case badName(String, directory: String)
  /// A link that leads out of the directory.
  case leadsOut(String, directory: String, target: String)
  case missing(String, directory: String)
  /// There are weights, but only as a pickle, which is a program: nothing of it is ever run.
  case onlyPickles(String, directory: String)
  case tooLarge(String, directory: String, bytes: UInt64, limit: Int)
  /// A document that is no JSON, or lacks what it must have.
  case json(String, directory: String, JSONError)
}

extension ModelDirectoryError: CustomStringConvertible {
  /// One line for a person.
  public var description: String {
    switch self {
    case .badName(let name, let directory):
      "\(directory): \(name.debugDescription) is no name of a file in it"
    case .leadsOut(let name, let directory, let target):
      "\(directory)/\(name) is a link out of the directory, to \(target); copy the files with"
        + " links followed (cp -L)"
    case .missing(let name, let directory): "\(directory): \(name) is missing"
    case .onlyPickles(let name, let directory):
      "\(directory) has its weights only as \(name): pickles are programs and are not run;"
        + " convert them to safetensors"
    case .tooLarge(let name, let directory, let bytes, let limit):
      "\(directory)/\(name) has \(bytes) bytes, the limit is \(limit)"
    case .json(let name, let directory, let error): "\(directory)/\(name): \(error)"
    }
  }
}

extension ModelDirectory {
  /// The parts of a relative name, none of which leads up or is hidden in another.
  public func parts(ofName name: String) throws(ModelDirectoryError) -> [String] {
    let parts = name.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    let areSound = parts.allSatisfy { part in
      !part.isEmpty && part != "." && part != ".." && part.utf8.count <= 255
        && part.utf8.allSatisfy { $0 >= 0x20 && $0 != UInt8(ascii: "\\") }
    }
    guard areSound, parts.count <= 4 else { throw .badName(name, directory: self.name) }
    return parts
  }

  /// The whole of a small file; nil where there is none.
  public func bytes(_ name: String, limit: Int) throws -> [UInt8]? {
    guard let source = try file(name) else { return nil }
    guard source.byteCount <= UInt64(limit) else {
      throw ModelDirectoryError.tooLarge(
        name, directory: self.name, bytes: source.byteCount, limit: limit)
    }
    return try unsafe source.withBytes(0..<source.byteCount) { unsafe Array($0) }
  }

  /// A JSON document; nil where there is none.
  public func json(_ name: String, limit: Int) throws -> JSONNode? {
    guard let bytes = try bytes(name, limit: limit) else { return nil }
    var limits = JSONLimits()
    limits.bytes = limit
    limits.acceptsPythonNumbers = true
    do throws(JSONError) {
      return JSONNode(try JSONValue(parsing: bytes, limits: limits), name: name)
    } catch {
      throw ModelDirectoryError.json(name, directory: self.name, error)
    }
  }
}
