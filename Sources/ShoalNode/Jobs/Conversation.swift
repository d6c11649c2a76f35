// What both sides of a conversation have said, as a model's template is given it.

public struct Conversation: Sendable, Hashable {
  public private(set) var turns: [ChatMessage]
  private let system: String?

  /// - Parameter system: what the model is told before all else, where its template knows of it.
  public init(system: String? = nil) {
    self.system = system
    turns = Self.opening(system)
  }

  private static func opening(_ system: String?) -> [ChatMessage] {
    system.map { [ChatMessage(role: "system", content: $0)] } ?? []
  }

  public mutating func ask(_ text: String) {
    turns.append(ChatMessage(role: "user", content: text))
  }

  /// The answer to what was asked last, also one that was cut short. Where there was none, the
  /// question is taken back, as templates want both sides in turn.
  public mutating func hear(_ answer: String) {
    guard turns.last?.role == "user" else { return }
    if answer.isEmpty {
      turns.removeLast()
    } else {
      turns.append(ChatMessage(role: "assistant", content: answer))
    }
  }

  /// Begins anew.
  public mutating func clear() { turns = Self.opening(system) }
}
