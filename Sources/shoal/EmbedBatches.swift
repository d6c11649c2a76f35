// Many texts through a running peer, some at a time: a request has a bounded body.

import ShoalGateway
import ShoalNode
import ShoalProtocol
import ShoalSecurity

struct EmbedBatches {
  let client: GatewayClient

  /// Texts of one request, and their bytes.
  private static let texts = 256
  private static let bytes = 128 << 10

  func run(_ request: EmbeddingRequest) async throws -> EmbedFacts {
    var total: EmbedFacts?
    for part in Self.parts(request.texts) {
      var some = request
      some.texts = Array(request.texts[part])
      let facts = try await client.embed(EmbedRequest(some))
      guard var sum = total else {
        total = facts
        continue
      }
      sum.append(facts, from: part.lowerBound)
      total = sum
    }
    guard var facts = total else { throw UserError("there are no texts") }
    facts.digest = BLAKE2b.hash(facts.hashes.flatMap { Bytes32(hex: $0)?.bytes ?? [] }).hex
    return facts
  }

  private static func parts(_ texts: [EmbeddingRequest.Text]) -> [Range<Int>] {
    var parts: [Range<Int>] = []
    var size = 0
    for (index, text) in texts.enumerated() {
      let bytes =
        switch text {
        case .text(let text): text.utf8.count
        case .tokens(let tokens): 8 * tokens.count
        }
      if let last = parts.last, last.count < Self.texts, size + bytes <= Self.bytes {
        parts[parts.count - 1] = last.lowerBound..<index + 1
        size += bytes
      } else {
        parts.append(index..<index + 1)
        size = bytes
      }
    }
    return parts
  }
}

extension EmbedFacts {
  /// Takes in those of further texts, the first of which is number `start`.
  fileprivate mutating func append(_ other: EmbedFacts, from start: Int) {
    embeddings += other.embeddings
    total_duration += other.total_duration
    prompt_eval_count += other.prompt_eval_count
    tokens += other.tokens
    truncated += other.truncated.map { $0 + start }
    hashes += other.hashes
  }
}
