// Values as JSON, as Python's `json.dumps` writes them for `tojson`: no ASCII escapes, keys in
// their order, `", "` and `": "` between parts unless an indent is asked for.

struct TemplateJSON {
  /// Spaces for each level; nil: one line.
  var indent: Int?
  var sortsKeys = false
  /// Whether what is not ASCII is written as `\u` and four digits.
  var escapesOthers = false
  var itemSeparator = ", "
  var keySeparator = ": "

  func text(_ value: TemplateValue) throws(TemplateFailure) -> String {
    var text = ""
    try write(value, level: 0, to: &text)
    return text
  }

  private func write(
    _ value: TemplateValue, level: Int, to text: inout String
  ) throws(TemplateFailure) {
    guard level < 100 else { throw .failed("a value that is nested too deeply for JSON") }
    switch value {
    case .none: text += "null"
    case .bool(let flag): text += flag ? "true" : "false"
    case .integer(let number): text += "\(number)"
    case .double(let number):
      text +=
        number.isFinite
        ? TemplateValue.text(number) : number.isNaN ? "NaN" : number < 0 ? "-Infinity" : "Infinity"
    case .string(let string): quote(string, to: &text)
    case .list(let elements):
      try write(elements.count, "[", "]", level: level, to: &text) {
        (index, text) throws(TemplateFailure) in
        try write(elements[index], level: level + 1, to: &text)
      }
    case .dictionary(let dictionary):
      var members = dictionary.members
      if sortsKeys {
        members.sort { $0.key.printed.utf8.lexicographicallyPrecedes($1.key.printed.utf8) }
      }
      try write(members.count, "{", "}", level: level, to: &text) {
        (index, text) throws(TemplateFailure) in
        quote(members[index].key.printed, to: &text)
        text += keySeparator
        try write(members[index].value, level: level + 1, to: &text)
      }
    case .undefined, .namespace, .loop, .macro, .function, .method:
      throw .failed("\(value.kind) cannot be written as JSON")
    }
  }

  private func write(
    _ count: Int, _ open: String, _ close: String, level: Int, to text: inout String,
    _ element: (Int, inout String) throws(TemplateFailure) -> Void
  ) throws(TemplateFailure) {
    text += open
    for index in 0..<count {
      if index > 0 { text += indent == nil ? itemSeparator : "," }
      newLine(level + 1, to: &text)
      try element(index, &text)
    }
    if count > 0 { newLine(level, to: &text) }
    text += close
  }

  private func quote(_ string: String, to text: inout String) {
    guard escapesOthers else { return JSONValue.quote(string, to: &text) }
    var quoted = ""
    JSONValue.quote(string, to: &quoted)
    for unit in quoted.utf16 {
      let digits = String(unit, radix: 16)
      text +=
        unit < 0x80
        ? String(Unicode.Scalar(UInt8(unit)))
        : "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
    }
  }

  private func newLine(_ level: Int, to text: inout String) {
    if let indent { text += "\n" + String(repeating: " ", count: min(indent, 16) * level) }
  }
}
