// JSON that others rely on (docs/INTERFACE.md): fields are added, never changed.

import Foundation

enum JSONOutput {
  /// One value, on one line, keys sorted.
  static func print(_ value: some Encodable) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    Swift.print(String(decoding: try encoder.encode(value), as: UTF8.self))
  }
}
