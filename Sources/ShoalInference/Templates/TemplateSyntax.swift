// A template as a tree: statements that write, expressions that have a value.

indirect enum TemplateExpression: Sendable {
  case literal(TemplateLiteral)
  case name(String)
  case list([TemplateExpression])
  case dictionary([(key: TemplateExpression, value: TemplateExpression)])
  case attribute(TemplateExpression, String)
  case item(TemplateExpression, TemplateExpression)
  case slice(
    TemplateExpression, from: TemplateExpression?, to: TemplateExpression?,
    by: TemplateExpression?)
  case call(TemplateExpression, TemplateArguments)
  case filter(TemplateExpression, String, TemplateArguments)
  case test(TemplateExpression, String, TemplateArguments)
  case not(TemplateExpression)
  case negative(TemplateExpression)
  case and(TemplateExpression, TemplateExpression)
  case or(TemplateExpression, TemplateExpression)
  case binary(TemplateOperator, TemplateExpression, TemplateExpression)
  case conditional(TemplateExpression, then: TemplateExpression, else: TemplateExpression?)
}

enum TemplateLiteral: Sendable {
  case none
  case bool(Bool)
  case integer(Int)
  case double(Double)
  case string(String)
}

enum TemplateOperator: String, Sendable {
  case add = "+"
  case subtract = "-"
  case multiply = "*"
  case divide = "/"
  case floorDivide = "//"
  case modulo = "%"
  case power = "**"
  case concatenate = "~"
  case equal = "=="
  case notEqual = "!="
  case less = "<"
  case lessOrEqual = "<="
  case greater = ">"
  case greaterOrEqual = ">="
  case contained = "in"
  case notContained = "not in"
}

struct TemplateArguments: Sendable {
  var positional: [TemplateExpression] = []
  var named: [(name: String, value: TemplateExpression)] = []
}

/// Where a `set` or a `for` puts a value.
enum TemplateTarget: Sendable {
  case name(String)
  case names([String])
  /// An attribute of a namespace.
  case attribute(String, String)
}

struct TemplateMacro: Sendable {
  let name: String
  let parameters: [(name: String, fallback: TemplateExpression?)]
  let body: [PlacedStatement]
}

struct TemplateLoop: Sendable {
  let target: TemplateTarget
  let items: TemplateExpression
  let condition: TemplateExpression?
  let body: [PlacedStatement]
  let otherwise: [PlacedStatement]
}

enum TemplateStatement: Sendable {
  case text(String)
  case output(TemplateExpression)
  case set(TemplateTarget, TemplateExpression)
  /// `{% set x %}...{% endset %}`
  case capture(TemplateTarget, [PlacedStatement])
  case branch([(condition: TemplateExpression, body: [PlacedStatement])], else: [PlacedStatement])
  case loop(TemplateLoop)
  case macro(TemplateMacro)
  /// `{% call macro() %}...{% endcall %}`: the body is what `caller()` gives.
  case callBlock(TemplateExpression, TemplateMacro)
  /// `{% filter name %}...{% endfilter %}`
  case filterBlock(String, TemplateArguments, [PlacedStatement])
  /// What only marks a part for training, such as `{% generation %}`.
  case group([PlacedStatement])
  case breakLoop
  case continueLoop
}

struct PlacedStatement: Sendable {
  let statement: TemplateStatement
  let line: Int
}
