// The one program: every command is a file of its own.

import ArgumentParser
import Foundation

@main
struct Shoal: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "shoal",
    abstract: "Runs one transformer across the machines you already own.",
    version: "0.1.0",
    subcommands: [
      PeerCommand.self,
      RunCommand.self,
      ChatCommand.self,
      EmbedCommand.self,
      ImportCommand.self,
      PullCommand.self,
      ModelsCommand.self,
      RegistryCommand.self,
      CreditsCommand.self,
      AuditCommand.self,
      ChainCommand.self,
      ChannelCommand.self,
      KeyCommand.self,
      PeersCommand.self,
      StatusCommand.self,
      TopCommand.self,
      JobsCommand.self,
      PlanCommand.self,
      LeaveCommand.self,
      ConfigCommand.self,
      AssessCommand.self,
      NetCommand.self,
      EmulateCommand.self,
      PerplexityCommand.self,
      BenchCommand.self,
      SimCommand.self,
      DoctorCommand.self,
      NextCommand.self,
    ],
    defaultSubcommand: NextCommand.self)

  /// Bad usage exits with 2, as tools of the field do; every other error with 1.
  static func main() async {
    do {
      var command = try parseAsRoot()
      if var command = command as? any AsyncParsableCommand {
        try await command.run()
      } else {
        try command.run()
      }
    } catch {
      guard exitCode(for: error) == .validationFailure else { exit(withError: error) }
      Terminal.printError(fullMessage(for: error))
      Foundation.exit(2)
    }
  }
}
