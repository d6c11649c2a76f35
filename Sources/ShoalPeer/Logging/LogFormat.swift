// How one event of a log becomes one line.

import Foundation
public import Logging
import ShoalInference

/// What lines of a log look like.
public enum LogFormat: String, CaseIterable, Sendable {
  /// For people: time, level, message, `key=value`.
  case text
  /// For programs: one object with `time`, `level`, `logger`, `message`, then the event's own keys.
  case json

  /// One line without its end, whatever an event says: line ends and other controls are escaped.
  ///
  /// - Parameter unixMilliseconds: when it was, since 1970.
  func line(
    _ label: String, _ level: Logger.Level, _ message: Logger.Message, _ metadata: Logger.Metadata,
    at unixMilliseconds: UInt64
  ) -> String {
    let time = Self.time(unixMilliseconds)
    let fields = metadata.sorted { $0.key < $1.key }
    switch self {
    case .text:
      let name = level.rawValue.padding(toLength: 8, withPad: " ", startingAt: 0)
      let words = ["\(time) \(name) \(Self.escaped("\(message)"))"]
      return (words + fields.map { "\($0.key)=\(Self.word($0.value))" }).joined(separator: " ")
    case .json:
      var members: [(key: String, value: JSONValue)] = [
        ("time", .string(time)), ("level", .string(level.rawValue)), ("logger", .string(label)),
        ("message", .string("\(message)")),
      ]
      let taken = Set(members.map(\.key))
      members += fields.map {
        (key: taken.contains($0.key) ? "\($0.key)_" : $0.key, value: Self.json($0.value))
      }
      return JSONValue.object(JSONObject(members)).text
    }
  }

  /// RFC 3339 with milliseconds, which Foundation would take from a rounded Double.
  private static func time(_ unixMilliseconds: UInt64) -> String {
    let seconds = Date(timeIntervalSince1970: Double(unixMilliseconds / 1_000)).formatted(.iso8601)
    let milliseconds = String(1_000 + unixMilliseconds % 1_000).dropFirst()
    return "\(seconds.dropLast()).\(milliseconds)Z"
  }

  private static func json(_ value: Logger.MetadataValue) -> JSONValue {
    switch value {
    case .string(let text): .string(text)
    case .stringConvertible(let number as Int): .integer(Int64(number))
    case .stringConvertible(let other): .string("\(other)")
    case .array(let elements): .array(elements.map { json($0) })
    case .dictionary(let members):
      .object(
        JSONObject(
          members.sorted { $0.key < $1.key }.map { (key: $0.key, value: json($0.value)) }))
    }
  }

  /// As it is, or in quotes where it could be taken for something else.
  private static func word(_ value: Logger.MetadataValue) -> String {
    let text =
      switch value {
      case .string(let text): text
      case .stringConvertible(let other): "\(other)"
      case .array, .dictionary: json(value).text
      }
    return !text.isEmpty && text.unicodeScalars.allSatisfy(isPlain)
      ? text : JSONValue.string(escaped(text)).text
  }

  private static func isPlain(_ scalar: Unicode.Scalar) -> Bool {
    scalar.value > 0x20 && scalar.value != 0x7F && scalar != "\"" && scalar != "="
      && !scalar.properties.isWhitespace
  }

  private static func escaped(_ text: String) -> String {
    var escaped = ""
    for scalar in text.unicodeScalars {
      switch scalar.properties.generalCategory {
      case .control, .lineSeparator, .paragraphSeparator:
        escaped += "\\u{\(String(scalar.value, radix: 16))}"
      case _: escaped.unicodeScalars.append(scalar)
      }
    }
    return escaped
  }
}

/// Hands lines to whoever writes them.
struct LineLogHandler: LogHandler {
  let label: String
  let format: LogFormat
  let unixMilliseconds: @Sendable () -> UInt64
  let write: @Sendable (String) -> Void
  var logLevel: Logger.Level
  var metadata: Logger.Metadata = [:]
  var metadataProvider: Logger.MetadataProvider?

  subscript(metadataKey key: String) -> Logger.MetadataValue? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    var all = metadata
    if let provided = metadataProvider?.get() { all.merge(provided) { $1 } }
    if let own = event.metadata { all.merge(own) { $1 } }
    if let error = event.error { all["error"] = .string("\(error)") }
    write(format.line(label, event.level, event.message, all, at: unixMilliseconds()))
  }
}

extension Logger {
  /// A logger that writes lines.
  ///
  /// - Parameter write: takes each without its end; never waits.
  public init(
    label: String, format: LogFormat, level: Logger.Level,
    unixMilliseconds: @escaping @Sendable () -> UInt64, write: @escaping @Sendable (String) -> Void
  ) {
    self.init(label: label) { label in
      LineLogHandler(
        label: label, format: format, unixMilliseconds: unixMilliseconds, write: write,
        logLevel: level)
    }
  }
}
