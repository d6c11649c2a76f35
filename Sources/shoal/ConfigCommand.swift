// `shoal config show`: every setting of a peer, and where its value came from.

import ArgumentParser
import Foundation
import ShoalInference
import ShoalPeer
import ShoalSecurity
import ShoalSystem

struct ConfigCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "config", abstract: "Shows the settings of a peer.",
    subcommands: [ConfigShowCommand.self], defaultSubcommand: ConfigShowCommand.self)
}

struct ConfigShowCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show",
    abstract: "Says what a peer would run with, and where each value came from.",
    discussion: "A flag outdoes the environment, the environment config.toml in the data directory,"
      + " and that the default. The flags are those of `shoal peer`.")

  @OptionGroup var flags: PeerFlags
  @OptionGroup var data: DataDirectory
  @Flag(help: "Print facts as JSON.") var json = false

  private struct Line: Encodable {
    let setting: String
    let value: String
    let source: String
  }

  func run() throws {
    let store = try data.open()
    let settings = try flags.settings(in: store)
    // Read as a peer would: what it refuses is refused here.
    let options = try PeerOptions(settings)
    _ = try settings.endpoint(.api)
    var lines = [Line(setting: "data", value: store.documents.path, source: data.source)]
    for setting in PeerSetting.allCases {
      if let value = settings[setting] {
        lines.append(
          Line(setting: setting.rawValue, value: value.text, source: value.source.name))
      } else {
        let (value, source) = try standard(setting, store, options)
        lines.append(Line(setting: setting.rawValue, value: value, source: source))
      }
    }
    let key = ProcessInfo.processInfo.environment["SHOAL_API_KEY"]
    lines.append(
      Line(
        setting: "api key", value: key == nil ? "none" : "set",
        source: key == nil ? "default" : "SHOAL_API_KEY"))
    if json { return try JSONOutput.print(lines) }
    var table = TextTable(["setting", "value", "from"])
    for line in lines { table.add([line.setting, line.value, line.source]) }
    for line in table.lines { print(line) }
  }

  /// What stands where nobody set anything.
  private func standard(
    _ setting: PeerSetting, _ store: LocalStore, _ options: PeerOptions
  ) throws -> (value: String, source: String) {
    let cores = ProcessInfo.processInfo.activeProcessorCount
    switch setting {
    case .network:
      guard let joined = try NetworkDescriptor.joined(store.documents) else {
        return ("lan", "default")
      }
      return (joined.name, NetworkDescriptor.documentName)
    case .listen: return ("port \(PeerSockets.usualPort), or a free one", "default")
    case .api: return ("127.0.0.1:7434, or a free port", "default")
    case .profile:
      let isMeasured = try store.documents.read(Assessment.profileName) != nil
      return isMeasured
        ? ("this machine", Assessment.profileName) : ("this machine, measured at start", "default")
    case .memory: return ("what the profile says", "profile")
    case .threads: return ("\(options.profile == nil ? cores : 1)", "default")
    case .kernel: return (KernelPath.best.rawValue, "default")
    case .traces: return ("none", "default")
    case .log: return (LogFormat.text.rawValue, "default")
    case .logLevel: return ("notice", "default")
    case .publishers: return ("all", "default")
    case .largestModel: return ("no limit", "default")
    case .relay: return ("with a public address", "default")
    case .portMapping: return ("false", "default")
    case .price, .pays: return ("none: no accounts", "default")
    case .credit, .budget, .window: return ("by the price", "default")
    case .audit: return ("64 with strangers or accounts, else 0", "default")
    }
  }
}
