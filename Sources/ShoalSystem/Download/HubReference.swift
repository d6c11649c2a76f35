// What a person asks to be pulled: `hf:ORG/REPO[@REVISION][/FILE]`, or a URL.

public import Foundation

public enum PullReference: Hashable, Sendable {
  /// A repository of a hub; the file is nil for all that a model needs.
  case hub(HubRepository, file: String?)
  case url(URL)

  /// Nil for what is neither.
  public init?(_ text: String) {
    if text.hasPrefix("hf:") {
      let parts = text.dropFirst(3).split(separator: "/", omittingEmptySubsequences: false)
      guard parts.count >= 2 else { return nil }
      let name = parts[1].split(
        separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
      let revision = name.count == 2 ? String(name[1]) : "main"
      guard
        let repository = HubRepository(
          owner: String(parts[0]), name: String(name[0]), revision: revision)
      else { return nil }
      let file = parts.dropFirst(2).joined(separator: "/")
      if parts.count > 2, !FileName.isRelative(file) { return nil }
      self = .hub(repository, file: parts.count > 2 ? file : nil)
      return
    }
    guard let url = URL(string: text), ["http", "https"].contains(url.scheme?.lowercased() ?? ""),
      url.host() != nil, FileName.isRelative(url.lastPathComponent)
    else { return nil }
    self = .url(url)
  }
}

/// A model's repository at one revision.
public struct HubRepository: Hashable, Sendable, CustomStringConvertible {
  public let owner: String
  public let name: String
  /// A branch, a tag or a commit.
  public let revision: String

  /// Nil for names that a hub does not give: they become parts of addresses and paths.
  public init?(owner: String, name: String, revision: String) {
    let isName = { (text: String) in
      FileName.isRelative(text) && text.utf8.count <= 128
        && text.utf8.allSatisfy { byte in
          byte < 0x80
            && (Character(UnicodeScalar(byte)).isLetter || Character(UnicodeScalar(byte)).isNumber
              || "-_.".utf8.contains(byte))
        }
    }
    guard isName(owner), isName(name), isName(revision) else { return nil }
    self.owner = owner
    self.name = name
    self.revision = revision
  }

  public var description: String { "\(owner)/\(name)" }

  /// Where the list of its files is asked for (hub API, "Get model info").
  public func listing(_ endpoint: URL) -> URL {
    endpoint.appending(path: "api/models/\(owner)/\(name)/revision/\(revision)")
      .appending(queryItems: [URLQueryItem(name: "blobs", value: "true")])
  }

  /// Where a file lies at a commit.
  public func file(_ file: String, commit: String, _ endpoint: URL) -> URL {
    endpoint.appending(path: "\(owner)/\(name)/resolve/\(commit)/\(file)")
  }
}

/// Names that strangers give to files.
enum FileName {
  /// Whether a relative name stays below where it is appended.
  static func isRelative(_ name: String) -> Bool {
    let parts = name.split(separator: "/", omittingEmptySubsequences: false)
    return !name.isEmpty && parts.count <= 4
      && parts.allSatisfy { part in
        !part.isEmpty && part != "." && part != ".." && part.utf8.count <= 200
          && part.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x5c && $0 != 0x7f }
      }
  }
}
