// JSON that others rely on (docs/INTERFACE.md): fields are added, never changed.

import Foundation

enum JSONOutput {
  /// One value, on one line, keys sorted.
  static func text(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(value), as: UTF8.self)
  }

  static func print(_ value: some Encodable) throws { Swift.print(try text(value)) }
}
