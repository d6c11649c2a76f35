// Runs a template's statements. Every statement and every expression is a step, and steps, text
// and nested calls are bounded: a template comes with a model that a stranger made.

/// What an expression failed with, before its line is known.
enum TemplateFailure: Error {
  case failed(String)
  case unsupported(String)
  case whole(TemplateError)
}

struct TemplateEvaluator {
  private enum Flow { case goesOn, breaks, continues }

  static let steps = 2_000_000
  static let outputBytes = 16 << 20
  private static let deepestCall = 50

  let date: TemplateDate
  private var scopes: [[String: TemplateValue]]
  private var loops = 0
  private var calls = 0
  private var stepsLeft = Self.steps
  private var written = 0
  private var line = 1

  init(globals: [String: TemplateValue], date: TemplateDate) {
    scopes = [globals]
    self.date = date
  }

  mutating func render(_ statements: [PlacedStatement]) throws(TemplateError) -> String {
    var text = ""
    do throws(TemplateFailure) {
      _ = try run(statements, into: &text)
    } catch {
      switch error {
      case .failed(let reason): throw .failed(line: line, reason: reason)
      case .unsupported(let construct): throw .unsupported(line: line, construct: construct)
      case .whole(let error): throw error
      }
    }
    return text
  }

  mutating func step() throws(TemplateFailure) {
    stepsLeft -= 1
    guard stepsLeft > 0 else { throw .whole(.tooManySteps(limit: Self.steps)) }
  }

  /// Counts text that is made, wherever it goes.
  mutating func account(_ bytes: Int) throws(TemplateFailure) {
    written += bytes
    guard written <= Self.outputBytes else {
      throw .whole(.outputTooLong(limit: Self.outputBytes))
    }
  }

  // MARK: Names

  func value(of name: String) -> TemplateValue? {
    for scope in scopes.reversed() {
      if let value = scope[name] { return value }
    }
    return TemplateFunctions.names.contains(name) ? .function(name) : nil
  }

  private mutating func define(_ name: String, _ value: TemplateValue) {
    scopes[scopes.count - 1][name] = value
  }

  private mutating func assign(
    _ value: TemplateValue, to target: TemplateTarget
  ) throws(TemplateFailure) {
    switch target {
    case .name(let name): define(name, value)
    case .names(let names):
      // `do`: the value is not kept.
      if names.isEmpty { return }
      guard let elements = value.elements, elements.count == names.count else {
        throw .failed("\(value.kind) cannot be unpacked into \(names.count) names")
      }
      for (name, element) in zip(names, elements) { define(name, element) }
    case .attribute(let name, let attribute):
      guard case .namespace(let namespace) = self.value(of: name) else {
        throw .failed("\(name) is no namespace: its attributes cannot be set")
      }
      namespace.members[attribute] = value
    }
  }

  // MARK: Statements

  private mutating func run(
    _ statements: [PlacedStatement], into text: inout String
  ) throws(TemplateFailure) -> Flow {
    for placed in statements {
      line = placed.line
      try step()
      let flow = try run(placed.statement, into: &text)
      if flow != .goesOn { return flow }
    }
    return .goesOn
  }

  private mutating func run(
    _ statement: TemplateStatement, into text: inout String
  ) throws(TemplateFailure) -> Flow {
    switch statement {
    case .text(let piece):
      try write(piece, to: &text)
    case .output(let expression):
      try write(try evaluate(expression).printed, to: &text)
    case .set(let target, let expression):
      try assign(try evaluate(expression), to: target)
    case .capture(let target, let body):
      var captured = ""
      let flow = try run(body, into: &captured)
      try assign(.string(captured), to: target)
      return flow
    case .branch(let branches, let otherwise):
      for branch in branches where try evaluate(branch.condition).isTrue {
        return try run(branch.body, into: &text)
      }
      return try run(otherwise, into: &text)
    case .loop(let loop):
      try run(loop, into: &text)
    case .macro(let macro):
      define(macro.name, .macro(macro))
    case .callBlock(let call, let caller):
      scopes.append(["caller": .macro(caller)])
      let value = try evaluate(call)
      scopes.removeLast()
      try write(value.printed, to: &text)
    case .filterBlock(let name, let arguments, let body):
      var captured = ""
      let flow = try run(body, into: &captured)
      let filtered = try filter(.string(captured), name, arguments)
      try write(filtered.printed, to: &text)
      return flow
    case .group(let body):
      return try run(body, into: &text)
    case .breakLoop: return try inLoop(.breaks)
    case .continueLoop: return try inLoop(.continues)
    }
    return .goesOn
  }

  private func inLoop(_ flow: Flow) throws(TemplateFailure) -> Flow {
    guard loops > 0 else { throw .failed("break and continue are for loops") }
    return flow
  }

  private mutating func write(_ piece: String, to text: inout String) throws(TemplateFailure) {
    try account(piece.utf8.count)
    text += piece
  }

  private mutating func run(
    _ loop: TemplateLoop, into text: inout String
  ) throws(TemplateFailure) {
    let value = try evaluate(loop.items)
    guard var items = value.elements else { throw .failed("\(value.kind) cannot be looped over") }
    scopes.append([:])
    loops += 1
    defer {
      scopes.removeLast()
      loops -= 1
    }
    if let condition = loop.condition {
      var chosen: [TemplateValue] = []
      for item in items {
        try assign(item, to: loop.target)
        if try evaluate(condition).isTrue { chosen.append(item) }
      }
      items = chosen
    }
    if items.isEmpty {
      _ = try run(loop.otherwise, into: &text)
      return
    }
    let state = TemplateLoopState(items: items)
    for (index, item) in items.enumerated() {
      state.index = index
      // What one round sets, the next does not see.
      scopes[scopes.count - 1] = ["loop": .loop(state)]
      try assign(item, to: loop.target)
      if try run(loop.body, into: &text) == .breaks { break }
    }
  }

  // MARK: Macros

  mutating func call(
    _ macro: TemplateMacro, _ arguments: EvaluatedArguments
  ) throws(TemplateFailure) -> TemplateValue {
    calls += 1
    defer { calls -= 1 }
    guard calls <= Self.deepestCall else {
      throw .failed("macros call each other more than \(Self.deepestCall) deep")
    }
    var scope: [String: TemplateValue] = [:]
    guard arguments.positional.count <= macro.parameters.count else {
      throw .failed("\(macro.name) takes \(macro.parameters.count) arguments")
    }
    for (index, parameter) in macro.parameters.enumerated() {
      if index < arguments.positional.count {
        scope[parameter.name] = arguments.positional[index]
      } else if let value = arguments.named[parameter.name] {
        scope[parameter.name] = value
      } else if let fallback = parameter.fallback {
        scope[parameter.name] = try evaluate(fallback)
      } else {
        scope[parameter.name] = .undefined(parameter.name)
      }
    }
    if let name = arguments.named.keys.sorted().first(where: { name in
      !macro.parameters.contains { $0.name == name }
    }) {
      throw .failed("\(macro.name) has no argument \(name)")
    }
    // A macro sees the template's own names and its arguments, not its caller's loops.
    let outer = scopes
    let outerLoops = loops
    let caller = value(of: "caller")
    scopes = [outer[0], scope]
    loops = 0
    if let caller { scopes[1]["caller"] = scopes[1]["caller"] ?? caller }
    defer {
      scopes = outer
      loops = outerLoops
    }
    var text = ""
    _ = try run(macro.body, into: &text)
    return .string(text)
  }
}
