// `shoal chat MODEL`: a conversation in the terminal, in the words of the model's own template.

import ArgumentParser
import Foundation
import ShoalGateway
import ShoalInference
import ShoalLedger
import ShoalNode
import ShoalPeer
import ShoalProtocol
import ShoalSystem
import Synchronization

struct ChatCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "chat", abstract: "A conversation with a model.",
    discussion: """
      Asks the peer that runs here, or this process alone where none runs. Ctrl-C ends an answer, \
      Ctrl-D the conversation; /clear begins anew, /exit ends it. A line that ends with \\ goes on \
      in the next. In a pipe every line is a question, and only answers are written.
      """)

  @Argument(help: "A name in the store, or a GGUF file or directory.") var model: String
  @Option(help: "What the model is told before all else.") var system: String?
  @Option(help: "A file with a chat template in Jinja, instead of the model's own.")
  var template: String?
  @OptionGroup var generation: GenerationFlags
  @Flag(help: "In this process, whatever peer may be running.") var solo = false
  @OptionGroup var peer: RunningPeer

  /// An answer ends when the model ends it, or here.
  static let defaultCount = 1_024

  func run() async throws {
    let partner = try await partner()
    var conversation = Conversation(system: system)
    let input = ChatInput()
    defer { input.close() }
    while let line = try await input.line() {
      switch line.trimmingCharacters(in: .whitespaces) {
      case "": continue
      case "/exit", "/quit": return
      case "/clear": conversation.clear()
      case _:
        conversation.ask(line)
        let isLast = try await answer(&conversation, partner, isInteractive: input.isInteractive)
        if isLast { return }
      }
    }
  }

  /// Shows the answer as it comes. True: the program was asked to end.
  private func answer(
    _ conversation: inout Conversation, _ partner: ChatPartner, isInteractive: Bool
  ) async throws -> Bool {
    let answer = ChatAnswer()
    let turns = conversation.turns
    let ending: ChatEnding
    do {
      ending = try await ChatEnding.of {
        try await partner.say(answer, to: turns)
      }
    } catch {
      conversation.hear("")
      guard isInteractive else { throw error }
      Terminal.printError("\n\(error)")
      return false
    }
    conversation.hear(answer.text)
    Terminal.write("\n")
    switch ending {
    case .whole(let result):
      if isInteractive { Terminal.printError(Terminal.dim(RunSummary(result).text)) }
      return false
    case .cut: return false
    case .terminated: return true
    }
  }

  private func partner() async throws -> ChatPartner {
    let text = try template.map { try String(contentsOfFile: $0, encoding: .utf8) }
    if let text { _ = try ChatTemplate(text) }
    let options = try generation.options(defaultCount: Self.defaultCount)
    if !solo, let client = try await peer.client() {
      return .mesh(client, model: model, template: text, options)
    }
    let store = try peer.data.open()
    let bar = ProgressBar("importing")
    let entry = try store.resolve(model) { bar.show($0, $1) }
    bar.finish()
    let manifest = try store.library.manifest(entry.model)
    let prompt = ChatPrompt(
      model: entry.name, template: text ?? manifest.chatTemplate,
      tokenizer: try store.library.tokenizer(manifest))
    return .alone(store, entry, prompt, options)
  }
}

/// Who answers.
private enum ChatPartner: Sendable {
  /// The peer that runs here, with whoever it takes.
  case mesh(GatewayClient, model: String, template: String?, GenerationOptions)
  /// This process.
  case alone(LocalStore, ModelEntry, ChatPrompt, GenerationOptions)

  func say(_ answer: ChatAnswer, to turns: [ChatMessage]) async throws -> RunResult {
    switch self {
    case .mesh(let client, let model, let template, let options):
      var request = GenerationRequest(model: model, prompt: .chat(turns), options: options)
      request.chatTemplate = template
      return try await MeshRun(client: client, show: { answer.show($0) })
        .run(RunRequest(request))
    case .alone(let store, let entry, let prompt, let options):
      let ids = try prompt.tokens(
        turns, unixSeconds: Int64(SystemClock().unixMilliseconds() / 1_000))
      let request = SoloRequest(
        prompt: .tokens(ids), options: options, stages: [[1]], kernel: .best,
        threads: ProcessInfo.processInfo.activeProcessorCount, logitsPath: nil)
      // Ranks run on threads, which hear of the cancellation with the next token.
      return try await withTaskCancellationHandler {
        try await SoloRun(store: store, entry: entry, request: request).run { text in
          guard !answer.isCut else { throw CancellationError() }
          answer.show(text)
        }
      } onCancel: {
        answer.cut()
      }
    }
  }
}

/// An answer on its way.
private final class ChatAnswer: Sendable {
  private let state = Mutex((text: "", isCut: false))

  var text: String { state.withLock { $0.text } }
  var isCut: Bool { state.withLock { $0.isCut } }

  func cut() { state.withLock { $0.isCut = true } }

  func show(_ piece: String) {
    state.withLock { $0.text += piece }
    Terminal.write(piece)
  }
}

/// How an answer came to its end.
private enum ChatEnding: Sendable {
  case whole(RunResult)
  /// By Ctrl-C.
  case cut
  /// The program was asked to end.
  case terminated

  /// Runs `body` until it is done or a signal comes. In between Ctrl-C ends no program.
  static func of(
    _ body: @escaping @Sendable () async throws -> RunResult
  ) async throws -> ChatEnding {
    let signals = SignalStream()
    return try await withThrowingTaskGroup(of: ChatEnding.self) { group in
      group.addTask { .whole(try await body()) }
      group.addTask {
        for await signal in signals.signals { return signal == .interrupt ? .cut : .terminated }
        throw CancellationError()
      }
      defer { group.cancelAll() }
      guard let first = try await group.next() else { return .cut }
      return first
    }
  }
}

/// The person's side: lines, one at a time.
private final class ChatInput {
  let isInteractive = isatty(STDIN_FILENO) == 1
  private let room = ThreadRoom(SystemThreads().thread(name: "input"))

  /// What was typed, nil at its end. Blocks a thread of its own.
  func line() async throws -> String? {
    if isInteractive { Terminal.prompt("> ") }
    return try await room.perform { () -> String? in
      guard var text = readLine() else { return nil }
      while text.hasSuffix("\\"), let more = readLine() {
        text = String(text.dropLast()) + "\n" + more
      }
      return text
    }
  }

  func close() { room.close() }
}
