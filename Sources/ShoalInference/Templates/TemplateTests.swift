// Jinja's tests: what may follow `is`.

extension TemplateEvaluator {
  func test(
    _ value: TemplateValue, _ name: String, _ given: EvaluatedArguments
  ) throws(TemplateFailure) -> Bool {
    switch name {
    case "defined": return !value.isUndefined
    case "undefined": return value.isUndefined
    case "none": if case .none = value { return true } else { return false }
    case "true": if case .bool(true) = value { return true } else { return false }
    case "false": if case .bool(false) = value { return true } else { return false }
    case "boolean": if case .bool = value { return true } else { return false }
    case "string": if case .string = value { return true } else { return false }
    case "mapping": if case .dictionary = value { return true } else { return false }
    case "integer": if case .integer = value { return true } else { return false }
    case "float": if case .double = value { return true } else { return false }
    case "number": return value.numeric != nil
    case "iterable": return value.elements != nil
    case "sequence": return value.elements != nil
    case "callable":
      switch value {
      case .macro, .function, .method: return true
      case .undefined, .none, .bool, .integer, .double, .string, .list, .dictionary, .namespace,
        .loop:
        return false
      }
    case "odd", "even", "divisibleby": return try divides(value, name, given)
    case "lower": return value.printed == value.printed.lowercased()
    case "upper": return value.printed == value.printed.uppercased()
    case "filter", "test", "escaped": throw .unsupported("the test \(name)")
    case _: return try compare(value, name, given)
    }
  }

  private func divides(
    _ value: TemplateValue, _ name: String, _ given: EvaluatedArguments
  ) throws(TemplateFailure) -> Bool {
    guard let whole = value.whole else { throw .failed("\(value.kind) is neither odd nor even") }
    if name == "odd" { return whole % 2 != 0 }
    if name == "even" { return whole % 2 == 0 }
    guard let divisor = given.positional.first?.whole, divisor != 0, divisor != -1 else {
      throw .failed("divisibleby takes an integer that is not 0")
    }
    return whole % divisor == 0
  }

  private func compare(
    _ value: TemplateValue, _ name: String, _ given: EvaluatedArguments
  ) throws(TemplateFailure) -> Bool {
    guard let other = given.positional.first else { throw .unsupported("the test \(name)") }
    switch name {
    case "eq", "equalto", "==", "sameas": return value.equals(other)
    case "ne", "!=": return !value.equals(other)
    case "lt", "lessthan", "<": return try order(value, other) < 0
    case "le", "<=": return try order(value, other) <= 0
    case "gt", "greaterthan", ">": return try order(value, other) > 0
    case "ge", ">=": return try order(value, other) >= 0
    case "in": return try contains(other, value)
    case _: throw .unsupported("the test \(name)")
    }
  }
}
