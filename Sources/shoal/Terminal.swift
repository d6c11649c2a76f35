// What a person sees: progress bars, colours, errors of one sentence. A pipe gets plain lines.

import Foundation
import ShoalProtocol
import ShoalSystem

/// An error that is already a sentence for a person.
struct UserError: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}

enum Terminal {
  /// Whether standard error is a terminal that may be drawn on.
  static let isInteractive = isatty(STDERR_FILENO) == 1

  /// Whether standard output is one, too, and whoever sits there wants colours (no-color.org).
  static let drawsOutput: Bool = {
    let environment = ProcessInfo.processInfo.environment
    return isatty(STDOUT_FILENO) == 1 && (environment["NO_COLOR"] ?? "").isEmpty
      && environment["TERM"] != "dumb"
  }()

  static func printError(_ text: String) {
    FileHandle.standardError.write(Data((text + "\n").utf8))
  }

  /// Draws one line over the last: so many of so many.
  static func printProgress(_ title: String, _ done: Int, _ total: Int) {
    let filled = 30 * done / max(1, total)
    let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: 30 - filled)
    let line = "\r\(title) \(bar) \(done) of \(total)\u{1B}[K"
    FileHandle.standardError.write(Data(line.utf8))
  }

  static func clearProgress() {
    if isInteractive { FileHandle.standardError.write(Data("\r\u{1B}[K".utf8)) }
  }

  /// Asks for a line, where a person and not a pipe reads what is asked.
  static func prompt(_ text: String) {
    if isInteractive { FileHandle.standardError.write(Data(bold(text).utf8)) }
  }

  /// Writes without a line end, at once: text as it is generated.
  static func write(_ text: String) { FileHandle.standardOutput.write(Data(text.utf8)) }

  // On standard output.
  static func strong(_ text: String) -> String { drawn("1", text) }
  static func green(_ text: String) -> String { drawn("32", text) }
  static func yellow(_ text: String) -> String { drawn("33", text) }
  static func red(_ text: String) -> String { drawn("31", text) }

  private static func drawn(_ code: String, _ text: String) -> String {
    drawsOutput ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
  }

  /// Lines of a table, the first of them its head.
  static func table(_ lines: [String]) -> [String] {
    lines.count > 1 ? [strong(lines[0])] + lines.dropFirst() : lines
  }

  // On standard error.
  static func bold(_ text: String) -> String { isInteractive ? "\u{1B}[1m\(text)\u{1B}[0m" : text }
  static func dim(_ text: String) -> String { isInteractive ? "\u{1B}[2m\(text)\u{1B}[0m" : text }
}

/// A bar with bytes, rate and time left. In a pipe it prints nothing until it is done.
final class ProgressBar {
  private let title: String
  private let start = SystemClock().now()
  private var drawn = Moment(nanoseconds: 0)

  init(_ title: String) { self.title = title }

  func show(_ done: UInt64, _ total: UInt64) {
    let now = SystemClock().now()
    guard Terminal.isInteractive, now - drawn > .milliseconds(100) || done == total else { return }
    drawn = now
    let width = 30
    let filled = total == 0 ? width : Int(Double(width) * Double(done) / Double(total))
    let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: width - filled)
    let seconds = max((now - start).inSeconds, 0.001)
    let rate = Double(done) / seconds
    let left = rate > 0 ? Int(Double(total - min(done, total)) / rate + 0.5) : 0
    let line =
      "\r\(title) \(bar) \(ByteCount(done)) of \(ByteCount(total))"
      + "  \(ByteCount(UInt64(rate)))/s  \(left) s left\u{1B}[K"
    FileHandle.standardError.write(Data(line.utf8))
  }

  func finish() {
    if Terminal.isInteractive { FileHandle.standardError.write(Data("\r\u{1B}[K".utf8)) }
  }
}
