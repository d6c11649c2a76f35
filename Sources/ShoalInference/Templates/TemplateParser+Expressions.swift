// Expressions, loosest first: `a if b else c`, or, and, not, comparisons, + and -, ~, * and /,
// signs, powers, then names with their attributes, items, calls, filters and tests.

extension TemplateParser {
  mutating func expression() throws(TemplateError) -> TemplateExpression {
    try nested { (parser) throws(TemplateError) in
      var value = try parser.disjunction()
      while parser.accept(word: "if") {
        let condition = try parser.disjunction()
        let otherwise = parser.accept(word: "else") ? try parser.expression() : nil
        value = .conditional(condition, then: value, else: otherwise)
      }
      return value
    }
  }

  /// An expression whose `if` belongs to what is around it.
  mutating func withoutCondition() throws(TemplateError) -> TemplateExpression {
    try tuple { (parser) throws(TemplateError) in try parser.disjunction() }
  }

  /// One expression, or several with commas between them as a list.
  mutating func tuple() throws(TemplateError) -> TemplateExpression {
    try tuple { (parser) throws(TemplateError) in try parser.expression() }
  }

  private mutating func tuple(
    _ element: (inout TemplateParser) throws(TemplateError) -> TemplateExpression
  ) throws(TemplateError) -> TemplateExpression {
    let first = try element(&self)
    guard current == .symbol(",") else { return first }
    var elements = [first]
    while accept(",") {
      if current == .blockEnd || current == .symbol(")") { break }
      elements.append(try element(&self))
    }
    return .list(elements)
  }

  private mutating func disjunction() throws(TemplateError) -> TemplateExpression {
    var value = try conjunction()
    while accept(word: "or") { value = .or(value, try conjunction()) }
    return value
  }

  private mutating func conjunction() throws(TemplateError) -> TemplateExpression {
    var value = try negation()
    while accept(word: "and") { value = .and(value, try negation()) }
    return value
  }

  private mutating func negation() throws(TemplateError) -> TemplateExpression {
    guard accept(word: "not") else { return try comparison() }
    return .not(try nested { (parser) throws(TemplateError) in try parser.negation() })
  }

  /// `a < b < c` is `a < b and b < c`.
  private mutating func comparison() throws(TemplateError) -> TemplateExpression {
    var left = try sum()
    var chain: TemplateExpression?
    while let comparison = comparisonOperator() {
      let right = try sum()
      let link = TemplateExpression.binary(comparison, left, right)
      chain = chain.map { .and($0, link) } ?? link
      left = right
    }
    return chain ?? left
  }

  private mutating func comparisonOperator() -> TemplateOperator? {
    switch current {
    case .symbol(let symbol):
      guard ["==", "!=", "<", "<=", ">", ">="].contains(symbol) else { return nil }
      advance()
      return TemplateOperator(rawValue: symbol)
    case .name("in"):
      advance()
      return .contained
    case .name("not"):
      guard tokens[min(position + 1, tokens.count - 1)].token == .name("in") else { return nil }
      advance()
      advance()
      return .notContained
    case .text, .outputBegin, .outputEnd, .blockBegin, .blockEnd, .name, .string, .integer,
      .double, .end:
      return nil
    }
  }

  private mutating func chain(
    _ symbols: Set<String>,
    _ next: (inout TemplateParser) throws(TemplateError) -> TemplateExpression
  ) throws(TemplateError) -> TemplateExpression {
    var value = try next(&self)
    while case .symbol(let symbol) = current, symbols.contains(symbol),
      let operation = TemplateOperator(rawValue: symbol)
    {
      advance()
      value = .binary(operation, value, try next(&self))
    }
    return value
  }

  private mutating func sum() throws(TemplateError) -> TemplateExpression {
    try chain(["+", "-"]) { (parser) throws(TemplateError) in
      try parser.chain(["~"]) { (parser) throws(TemplateError) in
        try parser.chain(["*", "/", "//", "%"]) { (parser) throws(TemplateError) in
          try parser.signed(hasFilters: true)
        }
      }
    }
  }

  private mutating func signed(hasFilters: Bool) throws(TemplateError) -> TemplateExpression {
    var value: TemplateExpression
    if accept("-") {
      value = .negative(
        try nested { (parser) throws(TemplateError) in try parser.signed(hasFilters: false) })
    } else if accept("+") {
      value = try nested { (parser) throws(TemplateError) in try parser.signed(hasFilters: false) }
    } else {
      value = try postfix(try primary())
      while accept("**") {
        value = .binary(.power, value, try signed(hasFilters: false))
      }
    }
    return hasFilters ? try filters(on: value) : value
  }

  private mutating func primary() throws(TemplateError) -> TemplateExpression {
    switch current {
    case .name(let name):
      advance()
      switch name {
      case "true", "True": return .literal(.bool(true))
      case "false", "False": return .literal(.bool(false))
      case "none", "None": return .literal(.none)
      case _: return .name(name)
      }
    case .string(var text):
      advance()
      while case .string(let more) = current {
        text += more
        advance()
      }
      return .literal(.string(text))
    case .integer(let value):
      advance()
      return .literal(.integer(value))
    case .double(let value):
      advance()
      return .literal(.double(value))
    case .symbol("("):
      advance()
      if accept(")") { return .list([]) }
      let value = try tuple()
      try expect(symbol: ")")
      return value
    case .symbol("["):
      advance()
      return .list(try elements())
    case .symbol("{"):
      advance()
      return .dictionary(try members())
    case .text, .outputBegin, .outputEnd, .blockBegin, .blockEnd, .symbol, .end:
      throw .syntax(line: line, reason: "a value is expected")
    }
  }

  private mutating func elements() throws(TemplateError) -> [TemplateExpression] {
    var elements: [TemplateExpression] = []
    while !accept("]") {
      elements.append(try expression())
      if !accept(",") {
        try expect(symbol: "]")
        break
      }
    }
    return elements
  }

  private mutating func members() throws(TemplateError)
    -> [(key: TemplateExpression, value: TemplateExpression)]
  {
    var members: [(key: TemplateExpression, value: TemplateExpression)] = []
    while !accept("}") {
      let key = try expression()
      try expect(symbol: ":")
      members.append((key, try expression()))
      if !accept(",") {
        try expect(symbol: "}")
        break
      }
    }
    return members
  }

  private mutating func postfix(
    _ start: TemplateExpression
  ) throws(TemplateError) -> TemplateExpression {
    var value = start
    while true {
      if accept(".") {
        if case .integer(let index) = current {
          advance()
          value = .item(value, .literal(.integer(index)))
        } else {
          value = .attribute(value, try name())
        }
      } else if current == .symbol("(") {
        value = .call(value, try arguments())
      } else if accept("[") {
        value = try subscripted(value)
      } else {
        return value
      }
    }
  }

  private mutating func subscripted(
    _ value: TemplateExpression
  ) throws(TemplateError) -> TemplateExpression {
    let from = current == .symbol(":") ? nil : try expression()
    guard accept(":") else {
      try expect(symbol: "]")
      return from.map { .item(value, $0) } ?? value
    }
    let isOpen = current == .symbol(":") || current == .symbol("]")
    let to = isOpen ? nil : try expression()
    let by = accept(":") && current != .symbol("]") ? try expression() : nil
    try expect(symbol: "]")
    return .slice(value, from: from, to: to, by: by)
  }

  mutating func arguments() throws(TemplateError) -> TemplateArguments {
    var arguments = TemplateArguments()
    try expect(symbol: "(")
    while !accept(")") {
      if current == .symbol("*") || current == .symbol("**") {
        throw .unsupported(line: line, construct: "* in a call")
      }
      if case .name(let name) = current,
        tokens[min(position + 1, tokens.count - 1)].token == .symbol("=")
      {
        advance()
        advance()
        arguments.named.append((name, try expression()))
      } else {
        arguments.positional.append(try expression())
      }
      if !accept(",") {
        try expect(symbol: ")")
        break
      }
    }
    return arguments
  }

  private mutating func filters(
    on start: TemplateExpression
  ) throws(TemplateError) -> TemplateExpression {
    var value = start
    while true {
      if accept("|") {
        let filter = try name()
        value = .filter(
          value, filter, current == .symbol("(") ? try arguments() : TemplateArguments())
      } else if accept(word: "is") {
        value = try test(value)
      } else if current == .symbol("(") {
        value = .call(value, try arguments())
      } else if current == .symbol(".") || current == .symbol("[") {
        value = try postfix(value)
      } else {
        return value
      }
    }
  }

  private mutating func test(
    _ value: TemplateExpression
  ) throws(TemplateError) -> TemplateExpression {
    let isNegated = accept(word: "not")
    let test = try name()
    var arguments = TemplateArguments()
    switch current {
    case .symbol("("): arguments = try self.arguments()
    case .name("else"), .name("or"), .name("and"), .name("if"), .name("is"), .name("in"),
      .name("not"):
      break
    case .name, .string, .integer, .double, .symbol("["), .symbol("{"):
      arguments.positional = [try postfix(try primary())]
    case .text, .outputBegin, .outputEnd, .blockBegin, .blockEnd, .symbol, .end:
      break
    }
    let tested = TemplateExpression.test(value, test, arguments)
    return isNegated ? .not(tested) : tested
  }
}
