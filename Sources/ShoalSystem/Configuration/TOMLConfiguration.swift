// The one place that knows the TOML parser (docs/decisions/0001-tomlkit.md).

import ShoalInference
import ShoalProtocol
import TOMLKit

public enum TOMLConfiguration {
  /// People write these files; the longest profile has 3 KB.
  static let fileBytes = 1 << 20

  /// Reads a file of TOML v1.0.
  public static func read(file: String) throws(ConfigurationError) -> ConfigurationTable {
    let mapped: MappedFile
    do { mapped = try MappedFile(path: file) } catch { throw .unreadable(file: file, error) }
    guard mapped.byteCount <= UInt64(fileBytes) else {
      throw .tooLong(file: file, limit: fileBytes, size: mapped.byteCount)
    }
    return try parse(unsafe String(decoding: mapped.bytes, as: UTF8.self), file: file)
  }

  /// - Parameter file: what errors call it.
  public static func parse(
    _ text: String, file: String
  ) throws(ConfigurationError) -> ConfigurationTable {
    do {
      return ConfigurationTable(file: file, prefix: "", values: values(try TOMLTable(string: text)))
    } catch let error as TOMLParseError {
      throw .syntax(
        file: file, line: error.source.begin.line, column: error.source.begin.column,
        reason: error.description)
    } catch {
      throw .syntax(file: file, line: 0, column: 0, reason: "\(error)")
    }
  }

  private static func values(_ table: TOMLTable) -> [String: ConfigurationValue] {
    var values: [String: ConfigurationValue] = [:]
    for key in table.keys { values[key] = table[key].map { value($0) } }
    return values
  }

  private static func value(_ value: any TOMLValueConvertible) -> ConfigurationValue {
    if let text = value.string { return .string(text) }
    if let table = value.table { return .table(values(table)) }
    if let array = value.array { return .array(array.map { self.value($0) }) }
    switch value.type {
    case .int: return .integer(Int64(value.int ?? 0))
    case .bool: return .boolean(value.bool ?? false)
    case .table, .array, .string, .double, .date, .time, .dateTime:
      return .other("a \(value.type.description)")
    }
  }
}
