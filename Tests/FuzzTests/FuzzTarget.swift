// One parser of foreign bytes, as both the tests here and libFuzzer (testnet/fuzz.sh) call it.

import Foundation

/// Bytes that it refuses are no finding; a trap, a broken promise or a hang is.
struct FuzzTarget: Sendable {
  let name: String
  /// What mutations start from, beside the files of `Tests/Fixtures/fuzz/NAME`.
  let seeds: [[UInt8]]
  /// Parses, and uses what was parsed as the program would.
  let parse: @Sendable ([UInt8]) throws -> Void

  init(
    _ name: String, seeds: [[UInt8]] = [], _ parse: @escaping @Sendable ([UInt8]) throws -> Void
  ) {
    (self.name, self.seeds, self.parse) = (name, seeds, parse)
  }

  static let all = FuzzTarget.wire + FuzzTarget.security + FuzzTarget.models + FuzzTarget.texts

  /// A message's tag before fields that are all zero: each tag gets past the first switch.
  static let tags: [[UInt8]] = (0...16).map { [$0] + [UInt8](repeating: 0, count: 400) }

  /// Sound files, and inputs that were findings once.
  var corpus: [[UInt8]] {
    let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "Fixtures/fuzz/\(name)")
    let files = try? FileManager.default.contentsOfDirectory(
      at: folder, includingPropertiesForKeys: nil)
    return (files ?? []).sorted { $0.path < $1.path }
      .compactMap { try? Data(contentsOf: $0) }.map { [UInt8]($0) } + seeds
  }
}

/// For parsers that refuse by another way than an error.
struct Refused: Error {}

/// What a target throws where bytes were accepted and a promise about them does not hold.
struct BrokenPromise: Error, CustomStringConvertible {
  let description: String
}
