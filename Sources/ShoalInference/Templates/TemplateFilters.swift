// Jinja's filters, as many as chat templates use (Jinja's manual, "List of Builtin Filters"), with
// `tojson` as the Hugging Face hub has it.

extension TemplateEvaluator {
  mutating func filter(
    _ value: TemplateValue, _ name: String, _ arguments: TemplateArguments
  ) throws(TemplateFailure) -> TemplateValue {
    let given = try evaluate(arguments)
    switch name {
    case "default", "d":
      let isMissing =
        value.isUndefined
        || (given.value(1, "boolean")?.isTrue ?? false)
          && !value.isTrue
      return isMissing ? given.value(0, "default_value") ?? .string("") : value
    case "tojson": return try json(value, given)
    case "int": return .integer(integer(value) ?? given.value(0, "default")?.whole ?? 0)
    case "float": return .double(number(value) ?? given.value(0, "default")?.numeric ?? 0)
    case "abs":
      if let whole = value.whole { return .integer(whole == .min ? .max : Swift.abs(whole)) }
      guard let number = value.numeric else { throw .failed("abs of \(value.kind)") }
      return .double(Swift.abs(number))
    case "round": return try rounded(value, given)
    case "string": return .string(value.printed)
    case "safe": return .string(value.printed)
    case "length", "count": return .integer(try elements(value, name).count)
    case "items":
      guard case .dictionary(let dictionary) = value else {
        if value.isUndefined { return .list([]) }
        throw .failed("items of \(value.kind)")
      }
      return .list(dictionary.members.map { .list([$0.key, $0.value]) })
    case "map", "select", "reject", "selectattr", "rejectattr":
      return try through(value, name, given)
    case "first", "last", "list", "reverse", "unique", "sort", "min", "max", "sum", "join",
      "dictsort", "groupby":
      return try sequence(value, name, given)
    case _: return try text(value, name, given)
    }
  }

  func elements(
    _ value: TemplateValue, _ name: String
  ) throws(TemplateFailure) -> [TemplateValue] {
    guard let elements = value.elements else { throw .failed("\(name) of \(value.kind)") }
    return elements
  }

  // MARK: Numbers and JSON

  private func integer(_ value: TemplateValue) -> Int? {
    if let whole = value.whole { return whole }
    if let number = value.numeric { return Int(exactly: number.rounded(.towardZero)) }
    guard case .string(let text) = value else { return nil }
    let plain = TemplateText.strip(text, nil, left: true, right: true)
    return Int(plain) ?? Double(plain).flatMap { Int(exactly: $0.rounded(.towardZero)) }
  }

  private func number(_ value: TemplateValue) -> Double? {
    if let number = value.numeric { return number }
    guard case .string(let text) = value else { return nil }
    return Double(TemplateText.strip(text, nil, left: true, right: true))
  }

  private func rounded(
    _ value: TemplateValue, _ given: EvaluatedArguments
  ) throws(TemplateFailure) -> TemplateValue {
    guard let number = value.numeric else { throw .failed("round of \(value.kind)") }
    let digits = min(max(given.value(0, "precision")?.whole ?? 0, 0), 12)
    let method = try string(given, 1, "method")
    // A whole number stays one, as in Python.
    if method == nil || method == "common", case .integer = value { return value }
    let scale = (0..<digits).reduce(1.0) { scale, _ in scale * 10 }
    let rule: FloatingPointRoundingRule =
      switch method {
      case "ceil": .up
      case "floor": .down
      case _: .toNearestOrEven
      }
    return .double((number * scale).rounded(rule) / scale)
  }

  private mutating func json(
    _ value: TemplateValue, _ given: EvaluatedArguments
  ) throws(TemplateFailure) -> TemplateValue {
    var writer = TemplateJSON()
    writer.indent = given.value(0, "indent")?.whole.map { max(0, $0) }
    writer.sortsKeys = given.named["sort_keys"]?.isTrue ?? false
    writer.escapesOthers = given.named["ensure_ascii"]?.isTrue ?? false
    if let separators = given.named["separators"]?.elements, separators.count == 2 {
      (writer.itemSeparator, writer.keySeparator) = (separators[0].printed, separators[1].printed)
    }
    let text = try writer.text(value)
    try account(text.utf8.count)
    return .string(text)
  }

  // MARK: Sequences

  private mutating func sequence(
    _ value: TemplateValue, _ name: String, _ given: EvaluatedArguments
  ) throws(TemplateFailure) -> TemplateValue {
    var elements = try elements(value, name)
    switch name {
    case "first": return elements.first ?? .undefined("the first of nothing")
    case "last": return elements.last ?? .undefined("the last of nothing")
    case "list": return .list(elements)
    case "reverse":
      if case .string = value { return .string(elements.reversed().map(\.printed).joined()) }
      return .list(elements.reversed())
    case "unique":
      var seen: [TemplateValue] = []
      for element in elements {
        try step()
        if !seen.contains(where: { folded($0).equals(folded(element)) }) { seen.append(element) }
      }
      return .list(seen)
    case "join":
      if let path = try string(given, 1, "attribute") {
        for index in elements.indices { elements[index] = try member(path, of: elements[index]) }
      }
      return .string(try joined(elements, try string(given, 0, "d") ?? ""))
    case "sum":
      var total = given.value(1, "start") ?? .integer(0)
      let path = try string(given, 0, "attribute")
      for element in elements {
        let term = try path.map { (path) throws(TemplateFailure) in try member(path, of: element) }
        total = try plus(total, term ?? element)
      }
      return total
    case "dictsort":
      guard case .dictionary(let dictionary) = value else {
        throw .failed("dictsort of \(value.kind)")
      }
      let members = dictionary.members.map { TemplateValue.list([$0.key, $0.value]) }
      var order = SortOrder()
      order.isCaseSensitive = given.value(0, "case_sensitive")?.isTrue ?? false
      order.isDescending = given.value(2, "reverse")?.isTrue ?? false
      let byValue = try string(given, 1, "by") == "value"
      return .list(
        try sort(members, order) {
          (byValue ? $0.elements?.last : $0.elements?.first) ?? .none
        })
    case "groupby": throw .unsupported("the filter groupby")
    case _: return try ordered(elements, name, given)
    }
  }

  private mutating func ordered(
    _ elements: [TemplateValue], _ name: String, _ given: EvaluatedArguments
  ) throws(TemplateFailure) -> TemplateValue {
    // `min` and `max` have no `reverse` in front.
    let place = name == "sort" ? 1 : 0
    var order = SortOrder()
    order.isCaseSensitive = given.value(place, "case_sensitive")?.isTrue ?? false
    order.isDescending =
      name == "max" || name == "sort" && given.value(0, "reverse")?.isTrue ?? false
    let path = try string(given, place + 1, "attribute") ?? ""
    var keyed: [TemplateValue] = []
    for element in elements {
      keyed.append(.list([path.isEmpty ? element : try member(path, of: element), element]))
    }
    let sorted = try sort(keyed, order) { $0.elements?.first ?? .none }
      .compactMap { $0.elements?.last }
    switch name {
    case "min": return sorted.first ?? .undefined("the least of nothing")
    case "max": return sorted.first ?? .undefined("the greatest of nothing")
    case _: return .list(sorted)
    }
  }

  private struct SortOrder {
    var isCaseSensitive = false
    var isDescending = false
  }

  /// Merge sort, since an order may be refused in the middle: stable either way, as Python's.
  private mutating func sort(
    _ elements: [TemplateValue], _ order: SortOrder, by key: (TemplateValue) -> TemplateValue
  ) throws(TemplateFailure) -> [TemplateValue] {
    guard elements.count > 1 else { return elements }
    let half = elements.count / 2
    var left = try sort(Array(elements[..<half]), order, by: key)[...]
    var right = try sort(Array(elements[half...]), order, by: key)[...]
    var merged: [TemplateValue] = []
    while let first = left.first, let second = right.first {
      try step()
      var keys = (order.isDescending ? [first, second] : [second, first]).map(key)
      if !order.isCaseSensitive { keys = keys.map { folded($0) } }
      if try self.order(keys[0], keys[1]) < 0 {
        merged.append(right.removeFirst())
      } else {
        merged.append(left.removeFirst())
      }
    }
    return merged + left + right
  }

  /// Without case, as Jinja compares by default.
  private func folded(_ value: TemplateValue) -> TemplateValue {
    if case .string(let text) = value { return .string(text.lowercased()) }
    return value
  }

  private func plus(
    _ left: TemplateValue, _ right: TemplateValue
  ) throws(TemplateFailure) -> TemplateValue {
    if let left = left.whole, let right = right.whole {
      let sum = left.addingReportingOverflow(right)
      if !sum.overflow { return .integer(sum.partialValue) }
    }
    guard let left = left.numeric, let right = right.numeric else {
      throw .failed("sum of \(left.kind) and \(right.kind)")
    }
    return .double(left + right)
  }

  /// `a.b.0`, through attributes and items.
  private func member(
    _ path: String, of value: TemplateValue
  ) throws(TemplateFailure) -> TemplateValue {
    var value = value
    for part in TemplateText.split(path, at: ".", limit: .max) {
      value = try item(value, Int(part).map { .integer($0) } ?? .string(part))
    }
    return value
  }

  /// `map`, and the four that choose.
  private mutating func through(
    _ value: TemplateValue, _ name: String, _ given: EvaluatedArguments
  ) throws(TemplateFailure) -> TemplateValue {
    var given = given
    // Jinja looks only at what is true: none gives nothing.
    let elements = value.isTrue ? try elements(value, name) : []
    var results: [TemplateValue] = []
    let usesAttribute = name.hasSuffix("attr")
    let path = usesAttribute || name == "map" ? try string(given, 0, "attribute") : nil
    if name == "map",
      let attribute = try string(EvaluatedArguments(named: given.named), 0, "attribute")
    {
      let fallback = given.named["default"]
      for element in elements {
        let found = try member(attribute, of: element)
        results.append(found.isUndefined ? fallback ?? found : found)
      }
      return .list(results)
    }
    if usesAttribute || name == "map" { given.positional = Array(given.positional.dropFirst()) }
    let word = name == "map" ? path : try string(given, 0, "")
    given.positional = name == "map" ? given.positional : Array(given.positional.dropFirst())
    for element in elements {
      if name == "map" {
        guard let word else { throw .failed("map takes a filter or an attribute") }
        results.append(try apply(word, to: element, given))
        continue
      }
      let subject = try usesAttribute ? member(path ?? "", of: element) : element
      let holds = try word.map { (word) throws(TemplateFailure) in try test(subject, word, given) }
      if holds ?? subject.isTrue == name.hasPrefix("select") { results.append(element) }
    }
    return .list(results)
  }

  /// A filter whose arguments are values already.
  private mutating func apply(
    _ name: String, to value: TemplateValue, _ given: EvaluatedArguments
  ) throws(TemplateFailure) -> TemplateValue {
    guard given.named.isEmpty else { throw .unsupported("named arguments to map") }
    return try filter(
      value, name,
      TemplateArguments(
        positional: given.positional.map { .literal(.string($0.printed)) }))
  }

  // MARK: Text

  private mutating func text(
    _ value: TemplateValue, _ name: String, _ given: EvaluatedArguments
  ) throws(TemplateFailure) -> TemplateValue {
    let text = value.printed
    try account(text.utf8.count)
    switch name {
    case "trim":
      return .string(
        TemplateText.strip(text, try string(given, 0, "chars"), left: true, right: true))
    case "upper": return .string(text.uppercased())
    case "lower": return .string(text.lowercased())
    case "title": return .string(TemplateText.title(text))
    case "capitalize": return .string(TemplateText.capitalize(text))
    case "escape", "e": return .string(TemplateText.escape(text))
    case "replace":
      guard let old = try string(given, 0, "old"), let new = try string(given, 1, "new") else {
        throw .failed("replace takes two strings")
      }
      return .string(
        try replaced(
          text, old, new, limit: given.value(2, "count")?.whole.map { max(0, $0) } ?? .max))
    case "indent":
      let width = given.value(0, "width")
      let spaces = width?.whole.map { String(repeating: " ", count: min(max($0, 0), 256)) }
      let worded = spaces == nil ? try string(given, 0, "width") : nil
      let result = TemplateText.indent(
        text, width: spaces ?? worded ?? "    ",
        first: given.value(1, "first")?.isTrue ?? false,
        blank: given.value(2, "blank")?.isTrue ?? false)
      try account(result.utf8.count)
      return .string(result)
    case "wordcount":
      return .integer(TemplateText.split(text, at: nil, limit: .max).count)
    case _: throw .unsupported("the filter \(name)")
    }
  }
}
