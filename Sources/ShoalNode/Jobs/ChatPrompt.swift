// A conversation as the tokens that a model was trained on.

package import ShoalInference

package struct ChatPrompt: Sendable {
  private let model: String
  private let template: String
  private let tokenizer: Tokenizer

  /// - Parameter template: empty where the model has none.
  package init(model: String, template: String, tokenizer: Tokenizer) {
    self.model = model
    self.template = template
    self.tokenizer = tokenizer
  }

  /// The template writes the special tokens by their names, the one that begins a text included;
  /// so they are read as such, also where a message spells one.
  package func tokens(
    _ messages: [ChatMessage], tools: [JSONValue] = [], unixSeconds: Int64
  ) throws -> [UInt32] {
    guard !template.isEmpty else { throw NodeError.noChatTemplate(model) }
    guard tools.isEmpty || ChatTemplate.mentions("tools", in: template) else {
      throw NodeError.noTools(model)
    }
    var context = ChatTemplate.Context(now: TemplateDate(unixSeconds: unixSeconds))
    context.beginning = spelled(tokenizer.definition.beginning)
    context.end = spelled(tokenizer.definition.end)
    let turns = messages.map { message in
      JSONValue.object(
        JSONObject(
          [("role", .string(message.role)), ("content", .string(message.content))]
            + message.others.members.map { ($0.key, $0.value) }))
    }
    if !tools.isEmpty { context.others.append(("tools", .array(tools))) }
    do throws(TemplateError) {
      let text = try ChatTemplate(template).render(turns, context)
      return tokenizer.encode(text, addSpecial: false, parseSpecial: true).map { UInt32($0) }
    } catch {
      throw NodeError.chatTemplate(error)
    }
  }

  private func spelled(_ token: TokenID?) -> String {
    token.map { String(decoding: tokenizer.bytes(of: $0), as: UTF8.self) } ?? ""
  }
}
