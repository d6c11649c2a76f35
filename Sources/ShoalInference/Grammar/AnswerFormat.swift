// What form an answer is held to.

public enum AnswerFormat: Sendable, Hashable {
  case text
  /// Any JSON object.
  case json
  /// JSON that satisfies a schema, given as text.
  case schema(String)

  /// Refuses a schema that answers cannot be held to.
  public func check() throws(SchemaError) { _ = try grammar() }

  /// Nil where nothing is to be kept.
  func grammar() throws(SchemaError) -> Grammar? {
    switch self {
    case .text: return nil
    case .json: return try Grammar(JSONPatterns.rules(whole: JSONPatterns.object))
    case .schema(let text):
      var limits = JSONLimits()
      limits.bytes = Self.schemaBytes
      let schema: JSONValue
      do { schema = try JSONValue(parsing: Array(text.utf8), limits: limits) } catch {
        throw .json(error)
      }
      let grammar = try JSONSchema.grammar(schema)
      var machine = GrammarMachine(grammar)
      guard machine.start() != GrammarMachine.dead else { throw .nothing }
      return grammar
    }
  }

  /// It travels with a job's record to its witnesses.
  public static let schemaBytes = 32 << 10
}
