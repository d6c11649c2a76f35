// JSON in and out of bodies: one line, keys sorted, and errors that name the field.

import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import ShoalInference

enum JSONBody {
  static func encode(_ value: some Encodable) throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return try encoder.encode(value)
  }

  static func response(
    _ value: some Encodable, status: HTTPResponse.Status = .ok
  ) throws -> Response {
    Response(
      status: status, headers: [.contentType: "application/json"],
      body: ResponseBody(byteBuffer: ByteBuffer(bytes: try encode(value))))
  }

  /// Reads the whole body of `request`, which keeps it, so that its connection can still be
  /// watched.
  static func decode<Value: Decodable>(
    _: Value.Type, from request: inout Request
  ) async throws -> Value {
    try decode(Value.self, from: try await read(from: &request))
  }

  /// The bytes of the whole body.
  static func read(from request: inout Request) async throws -> Data {
    if let length = request.headers[.contentLength].flatMap({ Int($0) }),
      length > RequestChecks.bodyBytes
    {
      throw RequestError.bodyTooLarge(limit: RequestChecks.bodyBytes)
    }
    let buffer: ByteBuffer
    do {
      buffer = try await request.collectBody(upTo: RequestChecks.bodyBytes)
    } catch is NIOTooManyBytesError {
      throw RequestError.bodyTooLarge(limit: RequestChecks.bodyBytes)
    }
    return Data(buffer.readableBytesView)
  }

  /// The same body with its members in their order, which a schema's must keep.
  static func ordered(_ data: Data) throws(RequestError) -> JSONValue {
    do { return try JSONValue(parsing: Array(data)) } catch {
      throw .brokenJSON(reason: "\(error)")
    }
  }

  static func decode<Value: Decodable>(_: Value.Type, from data: Data) throws -> Value {
    do {
      return try JSONDecoder().decode(Value.self, from: data)
    } catch let error as DecodingError {
      throw RequestError(error)
    }
  }
}

extension RequestError {
  init(_ error: DecodingError) {
    switch error {
    case .keyNotFound(let key, let context):
      self = .missing(field: Self.path(context.codingPath + [key]))
    case .typeMismatch(let type, let context):
      self = .wrongType(field: Self.path(context.codingPath), expected: Self.words(type))
    case .valueNotFound(let type, let context):
      self = .wrongType(field: Self.path(context.codingPath), expected: Self.words(type))
    case .dataCorrupted(let context) where !context.codingPath.isEmpty:
      self = .wrongType(
        field: Self.path(context.codingPath), expected: "valid: \(context.debugDescription)")
    case .dataCorrupted(let context):
      self = .brokenJSON(reason: context.debugDescription)
    @unknown default:
      self = .brokenJSON(reason: "\(error)")
    }
  }

  private static func path(_ keys: [any CodingKey]) -> String {
    let parts = keys.map { key in key.intValue.map { "[\($0)]" } ?? ".\(key.stringValue)" }
    let path = parts.joined()
    return path.isEmpty ? "the body" : path.hasPrefix(".") ? String(path.dropFirst()) : path
  }

  private static func words(_ type: Any.Type) -> String {
    switch type {
    case is String.Type: "a string"
    case is Bool.Type: "true or false"
    case is Double.Type, is Float.Type: "a number"
    case is any FixedWidthInteger.Type: "a whole number"
    case is [any CodingKey].Type: "an object"
    default: "\(type)".hasPrefix("Array") ? "a list" : "an object"
    }
  }
}
