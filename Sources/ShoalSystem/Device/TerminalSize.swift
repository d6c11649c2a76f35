// How large the terminal is that standard output goes to.

internal import CPlatform

public struct TerminalSize: Sendable, Hashable {
  public let columns: Int
  public let rows: Int

  /// 80 by 24 where it does not say.
  public static func current() -> TerminalSize {
    var (columns, rows): (Int32, Int32) = (0, 0)
    guard unsafe shoal_terminal_size(1, &columns, &rows) != 0, columns > 0, rows > 1 else {
      return TerminalSize(columns: 80, rows: 24)
    }
    return TerminalSize(columns: Int(columns), rows: Int(rows))
  }
}
