// `POST /v1/embeddings`: vectors in the shape of OpenAI's API reference ("Embeddings").

import Foundation
import Hummingbird

struct EmbeddingsRoute {
  let generating: Generating

  func add(to router: Router<BasicRequestContext>) {
    router.post("/v1/embeddings") { request, _ in try await respond(to: request) }
  }

  private func respond(to request: Request) async throws -> Response {
    var request = request
    let body = try await JSONBody.decode(Body.self, from: &request)
    let facts = try await generating.embed(body.request, for: request)
    return try JSONBody.response(Answer(facts, isBase64: body.isBase64))
  }

  /// The fields of `/api/embed`, and how numbers are to come.
  private struct Body: Decodable, Sendable {
    let request: EmbedRequest
    let isBase64: Bool

    private enum CodingKeys: CodingKey { case encoding_format }

    init(from decoder: any Decoder) throws {
      request = try EmbedRequest(from: decoder)
      let format =
        try decoder.container(keyedBy: CodingKeys.self)
        .decodeIfPresent(String.self, forKey: .encoding_format) ?? "float"
      guard ["float", "base64"].contains(format) else {
        throw RequestError.notOneOf(
          field: "encoding_format", value: format, allowed: ["float", "base64"])
      }
      isBase64 = format == "base64"
    }
  }

  private struct Answer: Encodable {
    struct Item: Encodable {
      let object = "embedding"
      let index: Int
      let embedding: Numbers

      private enum CodingKeys: CodingKey { case object, index, embedding }
    }
    struct Usage: Encodable {
      let prompt_tokens: Int
      let total_tokens: Int
    }

    let object = "list"
    let data: [Item]
    let model: String
    let usage: Usage
    /// Shoal's own: texts that lost their end, and the digest.
    let truncated: [Int]
    let digest: String

    private enum CodingKeys: CodingKey { case object, data, model, usage, truncated, digest }

    init(_ facts: EmbedFacts, isBase64: Bool) {
      data = facts.embeddings.enumerated().map {
        Item(index: $0, embedding: isBase64 ? .base64($1) : .floats($1))
      }
      model = facts.model
      usage = Usage(
        prompt_tokens: facts.prompt_eval_count, total_tokens: facts.prompt_eval_count)
      truncated = facts.truncated
      digest = facts.digest
    }
  }

  private enum Numbers: Encodable {
    case floats([Float])
    /// Little-endian f32.
    case base64([Float])

    func encode(to encoder: any Encoder) throws {
      var container = encoder.singleValueContainer()
      switch self {
      case .floats(let numbers): try container.encode(numbers)
      case .base64(let numbers):
        var bytes = Data(capacity: numbers.count * 4)
        for number in numbers {
          let bits = number.bitPattern
          bytes.append(contentsOf: (0..<4).map { UInt8(truncatingIfNeeded: bits >> (8 * $0)) })
        }
        try container.encode(bytes.base64EncodedString())
      }
    }
  }
}
