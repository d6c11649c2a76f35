// A model's chat template: a conversation in, the text that the model was trained on out. The
// template is a program in Jinja that came with the model; a small interpreter runs the subset that
// chat templates use, with bounds.

/// A parsed template.
public struct ChatTemplate: Sendable {
  /// The longest seen has 30 kB.
  public static let limit = 1 << 20

  private let statements: [PlacedStatement]

  /// Throws `.syntax` and `.unsupported` with their line, and `.tooLarge`.
  public init(_ source: String) throws(TemplateError) {
    guard source.utf8.count <= Self.limit else {
      throw .tooLarge(bytes: source.utf8.count, limit: Self.limit)
    }
    statements = try TemplateParser.statements(source)
  }

  /// Whether a template's tags name something, as `tools` where it has a place for them. A template
  /// that cannot be read names nothing.
  public static func mentions(_ name: String, in source: String) -> Bool {
    let tokens = try? TemplateLexer.tokens(source)
    return tokens?.contains { $0.token == .name(name) } ?? false
  }

  /// What a template may look at beside the messages.
  public struct Context: Sendable {
    /// Spelled as in the vocabulary; empty where the model has none.
    public var beginning = ""
    public var end = ""
    /// Whether the text ends where the model's answer begins.
    public var addsGenerationPrompt = true
    public var now: TemplateDate
    /// Further names, such as `tools` and `enable_thinking`.
    public var others: [(name: String, value: JSONValue)] = []

    public init(now: TemplateDate) { self.now = now }
  }

  /// The conversation as the model wants it. Special tokens are in it by their names, also where a
  /// message spells one.
  ///
  /// - Parameter messages: objects with `role` and `content`, and whatever else the template reads.
  public func render(
    _ messages: [JSONValue], _ context: Context
  ) throws(TemplateError) -> String {
    var globals: [String: TemplateValue] = [
      "messages": .list(messages.map { TemplateValue($0) }),
      "bos_token": .string(context.beginning),
      "eos_token": .string(context.end),
      "add_generation_prompt": .bool(context.addsGenerationPrompt),
    ]
    for other in context.others { globals[other.name] = TemplateValue(other.value) }
    var evaluator = TemplateEvaluator(globals: globals, date: context.now)
    return try evaluator.render(statements)
  }
}
