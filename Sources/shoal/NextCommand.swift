// `shoal` with no argument: where this machine stands, and what to do next.

import ArgumentParser
import Foundation
import ShoalGateway

struct NextCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "next", abstract: "Says what to do next; so does `shoal` alone.")

  @OptionGroup var peer: RunningPeer

  func run() async throws {
    guard let client = try await peer.client() else { return print(withoutPeer()) }
    let view = try await MeshView.of(client)
    print("\(Terminal.strong("A peer runs")) at http://\(view.address): \(view.summary).\n")
    guard let model = view.models.first?.name else {
      return print(
        """
        There is no model in the mesh yet:
          shoal pull hf:ORG/REPO          download one
          shoal import FILE.gguf          bring in a file that you have
        """)
    }
    print(
      """
      shoal run \(model) "Once upon a time"     generate
      shoal plan \(model)                       who computes what, and why
      shoal top                                 the mesh and its jobs, live
      http://\(view.address)/                   the dashboard, and OpenAI's API under /v1
      shoal help                                everything else
      """)
  }

  private func withoutPeer() -> String {
    let isNew = !FileManager.default.fileExists(atPath: peer.data.url.path)
    let hint = isNew ? "measures the machine once" : "Ctrl-C ends it"
    let first = isNew ? "Nothing is set up here yet; one command does it:" : "No peer runs here:"
    return """
      \(Terminal.strong(first))
        shoal peer                      join the mesh of this LAN (\(hint))

      Beyond the LAN, or private:
        shoal net join INVITE           a network that somebody invites to
        shoal net create NAME           one of your own

      Without any mesh:
        shoal run FILE.gguf "Once upon a time" --solo

      shoal doctor says what is wrong with this machine; shoal help lists all commands.
      """
  }
}
