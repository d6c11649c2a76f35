// `shoal models`: what the mesh offers and how much of it is here.

import ArgumentParser
import Foundation
import ShoalGateway
import ShoalLedger
import ShoalPeer
import ShoalProtocol

struct ModelsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "models", abstract: "Lists the models that there are.")

  @Flag(help: "Print facts as JSON.") var json = false
  @OptionGroup var peer: RunningPeer

  func run() async throws {
    let models: [ModelFacts]
    if let client = try await peer.client() {
      models = try await client.models()
    } else {
      models = try peer.data.open().registry().models.map { ModelFacts($0) }
    }
    if json { return try JSONOutput.print(models) }
    if models.isEmpty { print("no models yet: `shoal import FILE` brings one in") }
    let width = models.map(\.name.count).max() ?? 0
    for model in models {
      let name = model.name.padding(toLength: width, withPad: " ", startingAt: 0)
      let held = model.held.flatMap { held in model.atoms.map { "  \(held) of \($0) atoms here" } }
      print("\(name)  \(ByteCount(model.bytes))  \(model.model.prefix(8))\(held ?? "")")
    }
  }
}
