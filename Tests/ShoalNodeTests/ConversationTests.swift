// What a template is given of a conversation.

import ShoalNode
import Testing

@Suite struct ConversationTests {
  private static func said(_ conversation: Conversation) -> [String] {
    conversation.turns.map { "\($0.role): \($0.content)" }
  }

  @Test func `both sides are in turn, the system first`() {
    var conversation = Conversation(system: "Be brief.")
    conversation.ask("Who?")
    conversation.hear("Me.")
    conversation.ask("Why?")
    #expect(
      Self.said(conversation) == [
        "system: Be brief.", "user: Who?", "assistant: Me.", "user: Why?",
      ])
  }

  @Test func `a question without an answer is taken back`() {
    var conversation = Conversation()
    conversation.ask("Who?")
    conversation.hear("")
    #expect(conversation.turns.isEmpty)
    // Nobody asked.
    conversation.hear("Me.")
    #expect(conversation.turns.isEmpty)
  }

  @Test func `what is cleared keeps what the model is told before all else`() {
    var conversation = Conversation(system: "Be brief.")
    conversation.ask("Who?")
    conversation.hear("Me.")
    conversation.clear()
    #expect(Self.said(conversation) == ["system: Be brief."])
  }
}
