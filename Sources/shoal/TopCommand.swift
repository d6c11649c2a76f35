// `shoal top`: the mesh and its work, live. Ctrl-C ends it and gives the screen back as it was.

import ArgumentParser
import Foundation
import ShoalGateway
import ShoalSystem

struct TopCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "top", abstract: "Shows the mesh and its jobs, live; Ctrl-C ends it.")

  @Option(help: "Seconds between looks.") var interval = 1.0
  @Option(help: "End after so many looks (default: never; in a pipe, after one).") var count: Int?
  @OptionGroup var peer: RunningPeer

  func validate() throws {
    guard interval >= 0.1, interval <= 3_600 else {
      throw ValidationError("--interval is 0.1 to 3600 seconds")
    }
    guard (count ?? 1) > 0 else { throw ValidationError("--count is 1 or more") }
  }

  func run() async throws {
    let client = try await peer.required()
    guard Terminal.drawsOutput else {
      for look in 0..<(count ?? 1) {
        if look > 0 { try await Task.sleep(for: .seconds(interval)) }
        print(lines(try await MeshView.of(client)).joined(separator: "\n"))
      }
      return
    }
    Terminal.write(Screen.enter)
    defer { Terminal.write(Screen.leave) }
    let signals = SignalStream()
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { for await _ in signals.signals { break } }
      group.addTask { try await draw(client) }
      try await group.next()
      group.cancelAll()
    }
  }

  private func draw(_ client: GatewayClient) async throws {
    for look in 0..<(count ?? .max) {
      if look > 0 { try await Task.sleep(for: .seconds(interval)) }
      let size = TerminalSize.current()
      let text: [String]
      do {
        text = lines(try await MeshView.of(client))
      } catch let error as ClientError {
        // It may come back.
        text = ["\(error)"]
      }
      let shown = text.prefix(size.rows - 1).map {
        String($0.prefix(size.columns)) + Screen.lineEnd
      }
      Terminal.write(Screen.home + shown.joined(separator: "\r\n") + Screen.clearRest)
    }
  }

  private func lines(_ view: MeshView) -> [String] {
    ["shoal top  http://\(view.address)  \(view.summary)", ""] + view.peerLines + [""]
      + view.jobLines + [""] + view.modelLines
  }
}

/// What moves on a terminal (ECMA-48; the alternate screen is xterm's).
private enum Screen {
  static let enter = "\u{1B}[?1049h\u{1B}[?25l\u{1B}[2J"
  static let leave = "\u{1B}[?25h\u{1B}[?1049l"
  static let home = "\u{1B}[H"
  static let lineEnd = "\u{1B}[K"
  static let clearRest = "\u{1B}[J"
}
