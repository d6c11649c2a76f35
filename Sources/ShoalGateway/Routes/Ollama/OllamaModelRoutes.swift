// What Ollama's clients ask about models: `/api/tags`, `/api/show`, `/api/ps`, `/api/version`.

import Foundation
import Hummingbird
import ShoalInference
import ShoalLedger
import ShoalNode
import ShoalProtocol

struct OllamaModelRoutes {
  let node: any NodeService

  private struct Details: Encodable {
    let parent_model = ""
    let format: String
    let family: String
    let families: [String]
    let parameter_size: String
    let quantization_level: String

    private enum CodingKeys: CodingKey {
      case parent_model, format, family, families, parameter_size, quantization_level
    }
  }

  private struct Model: Encodable {
    let name: String
    let model: String
    let modified_at: String
    let size: UInt64
    /// The model's id.
    let digest: String
    let details: Details
  }

  private struct Shown: Encodable {
    let modelfile = ""
    let parameters = ""
    let template: String
    let details: Details
    let model_info: [String: OrderedJSON]
    let capabilities: [String]
    let modified_at: String

    private enum CodingKeys: CodingKey {
      case modelfile, parameters, template, details, model_info, capabilities, modified_at
    }
  }

  private struct Asked: Decodable {
    let model: String?
    /// The older name.
    let name: String?
  }

  func add(to router: Router<BasicRequestContext>) {
    router.get("/api/tags") { _, _ in try JSONBody.response(["models": try await models()]) }
    // Which models are in memory is each peer's own affair: none is named.
    router.get("/api/ps") { _, _ in try JSONBody.response(["models": [String]()]) }
    router.get("/api/version") { _, _ in try JSONBody.response(["version": "0.1.0"]) }
    router.post("/api/show") { request, _ in
      var request = request
      let asked = try await JSONBody.decode(Asked.self, from: &request)
      guard let name = asked.model ?? asked.name else { throw RequestError.missing(field: "model") }
      return try JSONBody.response(try await show(name))
    }
  }

  private func models() async throws -> [Model] {
    var models: [Model] = []
    for status in try await node.models() {
      let entry = status.entry
      // The manifest may not be here yet.
      let manifest = try? await node.plan(model: entry.name, objective: .latency, context: 1)
        .manifest
      models.append(
        Model(
          name: entry.name, model: entry.name, modified_at: Self.date(entry.written),
          size: entry.byteCount, digest: entry.model.raw.hex, details: Self.details(manifest)))
    }
    return models
  }

  private func show(_ model: String) async throws -> Shown {
    let name = model.hasSuffix(":latest") ? String(model.dropLast(7)) : model
    let planned = try await node.plan(model: name, objective: .latency, context: 1)
    let manifest = planned.manifest
    let shape = manifest.shape
    let family = manifest.architecture
    let numbers: [(String, Int)] = [
      ("context_length", shape.context), ("embedding_length", shape.hidden),
      ("block_count", shape.layers), ("attention.head_count", shape.attention.heads),
      ("attention.head_count_kv", shape.attention.keyValueHeads),
      ("vocab_size", shape.vocabulary),
    ]
    var info = Dictionary(
      numbers.map { ("\(family).\($0.0)", OrderedJSON(value: .integer(Int64($0.1)))) }
    ) { first, _ in first }
    info["general.architecture"] = OrderedJSON(value: .string(family))
    let template = manifest.chatTemplate
    return Shown(
      template: template, details: Self.details(manifest), model_info: info,
      capabilities: ["completion"]
        + (ChatTemplate.mentions("tools", in: template) ? ["tools"] : []),
      modified_at: Self.date(planned.entry.written))
  }

  private static func details(_ manifest: ModelManifest?) -> Details {
    let family = manifest?.architecture ?? ""
    return Details(
      format: "shoal", family: family, families: family.isEmpty ? [] : [family],
      parameter_size: "", quantization_level: manifest.map { "\($0.format)" } ?? "")
  }

  private static func date(_ unixMilliseconds: UInt64) -> String {
    Date(timeIntervalSince1970: Double(unixMilliseconds) / 1_000).formatted(.iso8601)
  }
}
