// `response_format` of a chat: text, any JSON object, or JSON by a schema.

import ShoalInference

struct ResponseFormat: Decodable, Sendable {
  let type: String

  /// - Parameter body: the request with its members in their order, which a schema's have to keep.
  func format(_ body: JSONValue) throws(RequestError) -> AnswerFormat {
    switch type {
    case "text": return .text
    case "json_object": return .json
    case "json_schema":
      let field = "response_format.json_schema.schema"
      guard let schema = body["response_format"]?["json_schema"]?["schema"] else {
        throw .missing(field: field)
      }
      return try .schema(checked: schema, field: field)
    case let other:
      throw .notOneOf(
        field: "response_format.type", value: other,
        allowed: ["text", "json_object", "json_schema"])
    }
  }
}

extension AnswerFormat {
  /// Refuses what a schema asks for and cannot have.
  static func schema(checked schema: JSONValue, field: String) throws(RequestError) -> AnswerFormat
  {
    let text = schema.text
    guard text.utf8.count <= schemaBytes else {
      throw .outOfRange(
        field: field, value: "\(text.utf8.count) bytes long", allowed: "at most \(schemaBytes)")
    }
    let format = AnswerFormat.schema(text)
    do { try format.check() } catch {
      throw .unsupported(field: field, hint: "\(error)")
    }
    return format
  }
}

extension JSONValue {
  /// A member of an object; nil for anything else.
  subscript(key: String) -> JSONValue? {
    if case .object(let object) = self { object[key] } else { nil }
  }

  var elements: [JSONValue] {
    if case .array(let elements) = self { elements } else { [] }
  }

  var string: String? {
    if case .string(let text) = self { text } else { nil }
  }
}
