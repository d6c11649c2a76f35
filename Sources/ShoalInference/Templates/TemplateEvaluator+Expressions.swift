// Expressions to values, with Python's rules.

struct EvaluatedArguments {
  var positional: [TemplateValue] = []
  var named: [String: TemplateValue] = [:]

  /// The argument at a place or by its name.
  func value(_ index: Int, _ name: String) -> TemplateValue? {
    index < positional.count ? positional[index] : named[name]
  }
}

extension TemplateEvaluator {
  mutating func evaluate(
    _ expression: TemplateExpression
  ) throws(TemplateFailure) -> TemplateValue {
    try step()
    switch expression {
    case .literal(let literal): return Self.value(literal)
    case .name(let name): return value(of: name) ?? .undefined(name)
    case .list(let elements): return .list(try evaluate(elements))
    case .dictionary(let members):
      var dictionary = TemplateDictionary()
      for member in members { dictionary[try evaluate(member.key)] = try evaluate(member.value) }
      return .dictionary(dictionary)
    case .attribute(let base, let name): return try attribute(try evaluate(base), name)
    case .item(let base, let key): return try item(try evaluate(base), try evaluate(key))
    case .slice(let base, let from, let to, let by):
      return try slice(
        try evaluate(base), from: try optional(from), to: try optional(to), by: try optional(by))
    case .call(let callee, let arguments):
      return try call(try evaluate(callee), try evaluate(arguments))
    case .filter(let base, let name, let arguments):
      return try filter(try evaluate(base), name, arguments)
    case .test(let base, let name, let arguments):
      return .bool(try test(try evaluate(base), name, try evaluate(arguments)))
    case .not(let base): return .bool(!(try evaluate(base).isTrue))
    case .negative(let base): return try negative(try evaluate(base))
    case .and(let left, let right):
      let value = try evaluate(left)
      return value.isTrue ? try evaluate(right) : value
    case .or(let left, let right):
      let value = try evaluate(left)
      return value.isTrue ? value : try evaluate(right)
    case .binary(let operation, let left, let right):
      return try combine(operation, try evaluate(left), try evaluate(right))
    case .conditional(let condition, let then, let otherwise):
      if try evaluate(condition).isTrue { return try evaluate(then) }
      return try optional(otherwise) ?? .undefined("the other branch of an inline if")
    }
  }

  private static func value(_ literal: TemplateLiteral) -> TemplateValue {
    switch literal {
    case .none: .none
    case .bool(let flag): .bool(flag)
    case .integer(let number): .integer(number)
    case .double(let number): .double(number)
    case .string(let text): .string(text)
    }
  }

  private mutating func evaluate(
    _ expressions: [TemplateExpression]
  ) throws(TemplateFailure) -> [TemplateValue] {
    var values: [TemplateValue] = []
    for expression in expressions { values.append(try evaluate(expression)) }
    return values
  }

  private mutating func optional(
    _ expression: TemplateExpression?
  ) throws(TemplateFailure) -> TemplateValue? {
    guard let expression else { return nil }
    return try evaluate(expression)
  }

  mutating func evaluate(
    _ arguments: TemplateArguments
  ) throws(TemplateFailure) -> EvaluatedArguments {
    var evaluated = EvaluatedArguments(positional: try evaluate(arguments.positional))
    for argument in arguments.named {
      evaluated.named[argument.name] = try evaluate(argument.value)
    }
    return evaluated
  }

  // MARK: Parts of values

  func attribute(_ base: TemplateValue, _ name: String) throws(TemplateFailure) -> TemplateValue {
    switch base {
    case .undefined: throw .failed("\(name) of \(base.kind)")
    case .namespace(let namespace): return namespace.members[name] ?? .undefined(name)
    case .loop(let loop):
      if name == "cycle" || name == "changed" { return .method(base, name) }
      return loop.attribute(name) ?? .undefined("loop.\(name)")
    case .dictionary(let dictionary):
      // Methods first, as Jinja's `.` does; `[]` finds members of the same name.
      if TemplateFunctions.mappingMethods.contains(name) { return .method(base, name) }
      return dictionary[name] ?? .undefined(name)
    case .string:
      return TemplateFunctions.stringMethods.contains(name)
        ? .method(base, name) : .undefined(name)
    case .list:
      return TemplateFunctions.listMethods.contains(name) ? .method(base, name) : .undefined(name)
    case .none, .bool, .integer, .double, .macro, .function, .method: return .undefined(name)
    }
  }

  func item(_ base: TemplateValue, _ key: TemplateValue) throws(TemplateFailure) -> TemplateValue {
    switch base {
    case .undefined: throw .failed("[\(key.represented)] of \(base.kind)")
    case .dictionary(let dictionary):
      if let value = dictionary[key] { return value }
      guard case .string(let name) = key else { return .undefined(key.printed) }
      return TemplateFunctions.mappingMethods.contains(name)
        ? .method(base, name) : .undefined(name)
    case .namespace(let namespace): return namespace.members[key] ?? .undefined(key.printed)
    case .list(let elements):
      guard let index = key.whole.map({ $0 < 0 ? $0 + elements.count : $0 }),
        elements.indices.contains(index)
      else { return .undefined("element \(key.printed)") }
      return elements[index]
    case .string(let text):
      let scalars = Array(text.unicodeScalars)
      guard let index = key.whole.map({ $0 < 0 ? $0 + scalars.count : $0 }),
        scalars.indices.contains(index)
      else { return .undefined("character \(key.printed)") }
      return .string(String(scalars[index]))
    case .loop, .none, .bool, .integer, .double, .macro, .function, .method:
      return .undefined(key.printed)
    }
  }

  private func slice(
    _ base: TemplateValue, from: TemplateValue?, to: TemplateValue?, by: TemplateValue?
  ) throws(TemplateFailure) -> TemplateValue {
    guard case .list = base else {
      guard case .string = base else { throw .failed("\(base.kind) cannot be sliced") }
      let scalars = try cut(base.elements ?? [], from, to, by)
      return .string(scalars.map(\.printed).joined())
    }
    return .list(try cut(base.elements ?? [], from, to, by))
  }

  /// Python's slices: negative places count from the end, what is beyond is cut off.
  private func cut(
    _ elements: [TemplateValue], _ from: TemplateValue?, _ to: TemplateValue?, _ by: TemplateValue?
  ) throws(TemplateFailure) -> [TemplateValue] {
    let count = elements.count
    let bound = { (value: TemplateValue?) throws(TemplateFailure) -> Int? in
      guard let value else { return nil }
      if case .none = value { return nil }
      guard let whole = value.whole else { throw TemplateFailure.failed("a slice needs integers") }
      return whole
    }
    let step = try bound(by) ?? 1
    guard step != 0, step.magnitude <= count.magnitude + 1 || elements.isEmpty || step > 0 else {
      throw .failed("a slice cannot go by \(step)")
    }
    let clamp = { (place: Int, low: Int, high: Int) in
      max(low, min(high, place < 0 ? place + count : place))
    }
    let start: Int
    let end: Int
    if step > 0 {
      start = clamp(try bound(from) ?? 0, 0, count)
      end = clamp(try bound(to) ?? count, 0, count)
    } else {
      start = clamp(try bound(from) ?? max(count - 1, 0), -1, count - 1)
      end = try bound(to).map { clamp($0, -1, count - 1) } ?? -1
    }
    return stride(from: start, to: end, by: step).map { elements[$0] }
  }

  // MARK: Operators

  private func negative(_ value: TemplateValue) throws(TemplateFailure) -> TemplateValue {
    if let whole = value.whole { return .integer(0 &- whole) }
    guard let number = value.numeric else { throw .failed("\(value.kind) has no negative") }
    return .double(-number)
  }

  private mutating func combine(
    _ operation: TemplateOperator, _ left: TemplateValue, _ right: TemplateValue
  ) throws(TemplateFailure) -> TemplateValue {
    switch operation {
    case .equal: return .bool(left.equals(right))
    case .notEqual: return .bool(!left.equals(right))
    case .less: return .bool(try order(left, right) < 0)
    case .lessOrEqual: return .bool(try order(left, right) <= 0)
    case .greater: return .bool(try order(left, right) > 0)
    case .greaterOrEqual: return .bool(try order(left, right) >= 0)
    case .contained: return .bool(try contains(right, left))
    case .notContained: return .bool(!(try contains(right, left)))
    case .concatenate:
      let text = left.printed + right.printed
      try account(text.utf8.count)
      return .string(text)
    case .add: return try add(left, right)
    case .multiply:
      if case .string(let text) = left, let times = right.whole {
        let count = max(0, times)
        try account(
          text.utf8.count.multipliedReportingOverflow(by: count).overflow
            ? Self.outputBytes : text.utf8.count * count)
        return .string(String(repeating: text, count: count))
      }
      return try arithmetic(operation, left, right)
    case .subtract, .divide, .floorDivide, .modulo, .power:
      return try arithmetic(operation, left, right)
    }
  }

  private mutating func add(
    _ left: TemplateValue, _ right: TemplateValue
  ) throws(TemplateFailure) -> TemplateValue {
    switch (left, right) {
    case (.string(let left), .string(let right)):
      try account(left.utf8.count + right.utf8.count)
      return .string(left + right)
    case (.list(let left), .list(let right)):
      try account(left.count + right.count)
      return .list(left + right)
    case _: return try arithmetic(.add, left, right)
    }
  }

  private func arithmetic(
    _ operation: TemplateOperator, _ left: TemplateValue, _ right: TemplateValue
  ) throws(TemplateFailure) -> TemplateValue {
    guard let first = left.numeric, let second = right.numeric else {
      throw .failed("\(left.kind) \(operation.rawValue) \(right.kind)")
    }
    let divides = operation == .divide || operation == .floorDivide || operation == .modulo
    guard !divides || second != 0 else { throw .failed("division by zero") }
    if let left = left.whole, let right = right.whole,
      let exact = Self.exact(operation, left, right)
    {
      return .integer(exact)
    }
    switch operation {
    case .add: return .double(first + second)
    case .subtract: return .double(first - second)
    case .multiply: return .double(first * second)
    case .divide: return .double(first / second)
    case .floorDivide: return .double((first / second).rounded(.down))
    case .modulo: return .double(first - (first / second).rounded(.down) * second)
    case .power, .concatenate, .equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual,
      .contained, .notContained:
      throw .unsupported("the operator \(operation.rawValue) on these numbers")
    }
  }

  /// Integers stay integers while they fit.
  private static func exact(_ operation: TemplateOperator, _ left: Int, _ right: Int) -> Int? {
    let result: (partialValue: Int, overflow: Bool)
    switch operation {
    case .add: result = left.addingReportingOverflow(right)
    case .subtract: result = left.subtractingReportingOverflow(right)
    case .multiply: result = left.multipliedReportingOverflow(by: right)
    case .floorDivide, .modulo:
      guard !(left == .min && right == -1) else { return nil }
      let (quotient, rest) = left.quotientAndRemainder(dividingBy: right)
      let isBelow = rest != 0 && (rest < 0) != (right < 0)
      result = (
        operation == .modulo ? (isBelow ? rest + right : rest) : quotient - (isBelow ? 1 : 0), false
      )
    case .power:
      guard (0...62).contains(right) else { return nil }
      result = (0..<right).reduce((1, false)) { power, _ in
        let next = power.0.multipliedReportingOverflow(by: left)
        return (next.partialValue, power.1 || next.overflow)
      }
    case .divide, .concatenate, .equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual,
      .contained, .notContained:
      return nil
    }
    return result.overflow ? nil : result.partialValue
  }

  /// Below zero where `left` comes first.
  func order(_ left: TemplateValue, _ right: TemplateValue) throws(TemplateFailure) -> Int {
    if let left = left.numeric, let right = right.numeric {
      return left < right ? -1 : left > right ? 1 : 0
    }
    switch (left, right) {
    case (.string(let left), .string(let right)):
      // The order of UTF-8 is the order of code points.
      if left.utf8.elementsEqual(right.utf8) { return 0 }
      return left.utf8.lexicographicallyPrecedes(right.utf8) ? -1 : 1
    case (.list(let left), .list(let right)):
      for (first, second) in zip(left, right) where !first.equals(second) {
        return try order(first, second)
      }
      return left.count - right.count
    case _: throw .failed("\(left.kind) and \(right.kind) have no order")
    }
  }

  func contains(
    _ container: TemplateValue, _ value: TemplateValue
  ) throws(TemplateFailure) -> Bool {
    switch container {
    case .string(let text):
      guard case .string(let part) = value else {
        throw .failed("\(value.kind) in a string")
      }
      return TemplateText.first(part, in: text) != nil
    case .list(let elements): return elements.contains { $0.equals(value) }
    case .dictionary(let dictionary): return dictionary[value] != nil
    case .undefined: return false
    case .namespace(let namespace): return namespace.members[value] != nil
    case .none, .bool, .integer, .double, .loop, .macro, .function, .method:
      throw .failed("in \(container.kind)")
    }
  }
}
