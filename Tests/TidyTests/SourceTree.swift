// The files that the rules are held against, found from where this file lies.

import Foundation

/// One source file: where it is, what it says, and what of that is code.
struct SourceFile: Sendable {
  /// From the package's root, such as `Sources/shoal/Shoal.swift`.
  let path: String
  /// As written, without line ends.
  let lines: [String]
  /// The same lines with comments and the contents of strings blanked out.
  let code: [String]

  init(path: String, text: String) {
    self.path = path
    lines = Self.split(text)
    code = Self.split(SourceScanner.blanked(text))
  }

  /// `Sources/NAME/...` gives NAME.
  var module: String {
    let parts = path.split(separator: "/")
    return parts.count > 2 ? String(parts[1]) : ""
  }

  var isSwift: Bool { path.hasSuffix(".swift") }

  private static func split(_ text: String) -> [String] {
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    if lines.last == "" { lines.removeLast() }
    return lines
  }
}

/// All Swift and C files under Sources.
enum SourceTree {
  static let root = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "../..").standardizedFileURL

  static func files() throws -> [SourceFile] {
    let sources = root.appending(path: "Sources").path
    let paths = try FileManager.default.subpathsOfDirectory(atPath: sources).sorted()
    return try paths.filter { path in
      [".swift", ".c", ".h"].contains { path.hasSuffix($0) }
    }.map { path in
      let text = try String(contentsOfFile: "\(sources)/\(path)", encoding: .utf8)
      return SourceFile(path: "Sources/\(path)", text: text)
    }
  }
}
