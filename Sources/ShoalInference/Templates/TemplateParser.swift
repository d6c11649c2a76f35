// Tokens to a tree: the statements of Jinja's grammar that chat templates use.

struct TemplateParser {
  var tokens: [PlacedToken]
  var position = 0
  private var depth = 0

  /// Blocks and expressions inside each other: far beyond any template, far below the stack.
  private static let deepest = 100

  static func statements(_ source: String) throws(TemplateError) -> [PlacedStatement] {
    var parser = TemplateParser(tokens: try TemplateLexer.tokens(source))
    let (body, end) = try parser.body(until: [])
    if let end { throw .syntax(line: parser.line, reason: "\(end) without its beginning") }
    return body
  }

  private init(tokens: [PlacedToken]) { self.tokens = tokens }

  // MARK: Tokens

  var current: TemplateToken { tokens[position].token }
  var line: Int { tokens[position].line }

  mutating func advance() {
    if position < tokens.count - 1 { position += 1 }
  }

  mutating func accept(_ symbol: String) -> Bool {
    guard current == .symbol(symbol) else { return false }
    advance()
    return true
  }

  mutating func accept(word: String) -> Bool {
    guard current == .name(word) else { return false }
    advance()
    return true
  }

  mutating func expect(_ token: TemplateToken, _ what: String) throws(TemplateError) {
    guard current == token else { throw .syntax(line: line, reason: "\(what) is expected") }
    advance()
  }

  mutating func expect(symbol: String) throws(TemplateError) {
    try expect(.symbol(symbol), symbol)
  }

  mutating func name() throws(TemplateError) -> String {
    guard case .name(let name) = current else {
      throw .syntax(line: line, reason: "a name is expected")
    }
    advance()
    return name
  }

  mutating func nested<Value>(
    _ body: (inout TemplateParser) throws(TemplateError) -> Value
  ) throws(TemplateError) -> Value {
    depth += 1
    defer { depth -= 1 }
    guard depth <= Self.deepest else {
      throw .unsupported(line: line, construct: "nesting deeper than \(Self.deepest)")
    }
    return try body(&self)
  }

  // MARK: Statements

  /// Statements up to a block whose first word is one of `ends`, which is returned and consumed up
  /// to that word.
  private mutating func body(
    until ends: Set<String>
  ) throws(TemplateError) -> ([PlacedStatement], String?) {
    var statements: [PlacedStatement] = []
    while true {
      let start = line
      switch current {
      case .end:
        guard ends.isEmpty else {
          throw .syntax(
            line: start, reason: "\(ends.sorted().joined(separator: " or ")) is missing")
        }
        return (statements, nil)
      case .text(let text):
        advance()
        statements.append(PlacedStatement(statement: .text(text), line: start))
      case .outputBegin:
        advance()
        let value = try expression()
        try expect(.outputEnd, "}}")
        statements.append(PlacedStatement(statement: .output(value), line: start))
      case .blockBegin:
        advance()
        let word = try name()
        if ends.contains(word) { return (statements, word) }
        if word.hasPrefix("end") || word == "else" || word == "elif" { return (statements, word) }
        let statement = try nested { (parser) throws(TemplateError) in try parser.block(word) }
        statements.append(PlacedStatement(statement: statement, line: start))
      case .outputEnd, .blockEnd, .name, .string, .integer, .double, .symbol:
        throw .syntax(line: start, reason: "text is expected")
      }
    }
  }

  /// The body of a block, up to one of `ends`.
  private mutating func inner(
    _ ends: String...
  ) throws(TemplateError) -> ([PlacedStatement], String) {
    let (statements, end) = try body(until: Set(ends))
    guard let end, ends.contains(end) else {
      throw .syntax(line: line, reason: "\(end ?? "the end") instead of \(ends[0])")
    }
    return (statements, end)
  }

  private mutating func close() throws(TemplateError) { try expect(.blockEnd, "%}") }

  private mutating func block(_ word: String) throws(TemplateError) -> TemplateStatement {
    switch word {
    case "if": return try branch()
    case "for": return try loop()
    case "set": return try set()
    case "macro":
      let macro = try macro(named: try name(), end: "endmacro")
      return .macro(macro)
    case "call":
      let parameters = current == .symbol("(") ? try parameters() : []
      let call = try expression()
      try close()
      let (body, _) = try inner("endcall")
      try close()
      return .callBlock(call, TemplateMacro(name: "caller", parameters: parameters, body: body))
    case "filter":
      let filter = try name()
      let arguments = current == .symbol("(") ? try self.arguments() : TemplateArguments()
      try close()
      let (body, _) = try inner("endfilter")
      try close()
      return .filterBlock(filter, arguments, body)
    case "generation":
      try close()
      let (body, _) = try inner("endgeneration")
      try close()
      return .group(body)
    case "break", "continue":
      try close()
      return word == "break" ? .breakLoop : .continueLoop
    case "do":
      let value = try expression()
      try close()
      return .set(.names([]), value)
    case _:
      throw .unsupported(line: line, construct: "{% \(word) %}")
    }
  }

  private mutating func branch() throws(TemplateError) -> TemplateStatement {
    var branches: [(condition: TemplateExpression, body: [PlacedStatement])] = []
    var condition = try expression()
    try close()
    while true {
      let (body, end) = try inner("endif", "elif", "else")
      branches.append((condition, body))
      if end == "elif" {
        condition = try expression()
        try close()
        continue
      }
      try close()
      guard end == "else" else { return .branch(branches, else: []) }
      let (otherwise, _) = try inner("endif")
      try close()
      return .branch(branches, else: otherwise)
    }
  }

  private mutating func loop() throws(TemplateError) -> TemplateStatement {
    let target = try target()
    guard accept(word: "in") else { throw .syntax(line: line, reason: "in is expected") }
    let items = try withoutCondition()
    let condition = accept(word: "if") ? try expression() : nil
    if accept(word: "recursive") {
      throw .unsupported(line: line, construct: "a recursive loop")
    }
    try close()
    var (body, end) = try inner("endfor", "else")
    try close()
    var otherwise: [PlacedStatement] = []
    if end == "else" {
      (otherwise, end) = try inner("endfor")
      try close()
    }
    return .loop(
      TemplateLoop(
        target: target, items: items, condition: condition, body: body, otherwise: otherwise))
  }

  private mutating func target() throws(TemplateError) -> TemplateTarget {
    let hasParenthesis = accept("(")
    var names = [try name()]
    if !hasParenthesis, accept(".") { return .attribute(names[0], try name()) }
    while accept(",") { names.append(try name()) }
    if hasParenthesis { try expect(symbol: ")") }
    return names.count == 1 ? .name(names[0]) : .names(names)
  }

  private mutating func set() throws(TemplateError) -> TemplateStatement {
    let target = try target()
    if accept("=") {
      let value = try tuple()
      try close()
      return .set(target, value)
    }
    if current == .symbol("|") {
      throw .unsupported(line: line, construct: "a filter on a block set")
    }
    try close()
    let (body, _) = try inner("endset")
    try close()
    return .capture(target, body)
  }

  private mutating func macro(
    named name: String, end: String
  ) throws(TemplateError) -> TemplateMacro {
    let parameters = try parameters()
    try close()
    let (body, _) = try inner(end)
    // The end may repeat the name.
    if case .name = current { advance() }
    try close()
    return TemplateMacro(name: name, parameters: parameters, body: body)
  }

  private mutating func parameters() throws(TemplateError)
    -> [(name: String, fallback: TemplateExpression?)]
  {
    var parameters: [(name: String, fallback: TemplateExpression?)] = []
    try expect(symbol: "(")
    while !accept(")") {
      let name = try name()
      parameters.append((name, accept("=") ? try expression() : nil))
      if !accept(",") {
        try expect(symbol: ")")
        break
      }
    }
    return parameters
  }
}
