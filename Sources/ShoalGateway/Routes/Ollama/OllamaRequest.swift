// What Ollama's clients ask (its API reference, `docs/api.md`): `/api/generate` and `/api/chat`.

import Foundation
import ShoalInference
import ShoalNode
import ShoalProtocol

/// The options that change an answer. Others, such as those that steer Ollama's own memory, are not
/// read.
struct OllamaOptions: Decodable, Sendable {
  var temperature: Float?
  var top_k: Int?
  var top_p: Float?
  var min_p: Float?
  var seed: AnySeed?
  /// -1: as far as the context goes.
  var num_predict: Int?
  var repeat_penalty: Float?
  var presence_penalty: Float?
  var frequency_penalty: Float?
  var stop: CompletionStop?

  /// - Parameter anySeed: used where the client states none.
  func generationOptions(
    _ format: AnswerFormat, anySeed: UInt64
  ) throws(RequestError) -> GenerationOptions {
    var sampling = SamplingOptions()
    sampling.temperature = temperature ?? sampling.temperature
    sampling.topK = top_k ?? sampling.topK
    sampling.topP = top_p ?? sampling.topP
    sampling.minP = min_p ?? sampling.minP
    sampling.repetitionPenalty = repeat_penalty ?? sampling.repetitionPenalty
    sampling.presencePenalty = presence_penalty ?? sampling.presencePenalty
    sampling.frequencyPenalty = frequency_penalty ?? sampling.frequencyPenalty
    sampling.seed = seed?.value ?? anySeed
    try RequestChecks.sampling(sampling)
    let count = num_predict ?? ChatRequest.defaultMaximumTokens
    let tokens = count < 0 ? RequestChecks.maximumTokens : count
    try RequestChecks.range("num_predict", tokens, 1...RequestChecks.maximumTokens)
    let stops = stop?.strings ?? []
    try RequestChecks.stops(stops)
    var options = GenerationOptions(maximumTokens: tokens, sampling: sampling, stop: stops)
    options.format = format
    return options
  }
}

struct OllamaRequest: Decodable, Sendable {
  struct Message: Decodable, Sendable {
    struct Call: Decodable, Sendable {
      struct Function: Decodable, Sendable {
        let name: String
      }
      let function: Function
    }

    let role: String
    let content: String?
    let tool_name: String?
    let tool_calls: [Call]?
    let images: [String]?
  }

  let model: String
  let prompt: String?
  let system: String?
  /// Whether the prompt is the whole text, without the model's template.
  let raw: Bool?
  let suffix: String?
  let images: [String]?
  let messages: [Message]?
  let options: OllamaOptions?
  let stream: Bool?

  /// A name may end in the tag that Ollama adds to names without one.
  var name: String { model.hasSuffix(":latest") ? String(model.dropLast(7)) : model }
  var streams: Bool { stream ?? true }
}

/// A request with what of it must keep its order.
struct OllamaAsked: Sendable {
  let request: OllamaRequest
  private(set) var tools: [JSONValue] = []
  private let body: JSONValue
  private let format: AnswerFormat

  init(_ data: Data) throws {
    request = try JSONBody.decode(OllamaRequest.self, from: data)
    body = try JSONBody.ordered(data)
    switch body["format"] {
    case nil, .null?, .string("")?: format = .text
    case .string("json")?: format = .json
    case .object(let schema)?: format = try .schema(checked: .object(schema), field: "format")
    case _?: throw RequestError.wrongType(field: "format", expected: "`json` or a schema")
    }
    if request.messages != nil { tools = body["tools"]?.elements ?? [] }
  }

  var toolNames: Set<String> { Set(tools.compactMap { $0["function"]?["name"]?.string }) }

  /// - Parameter anySeed: used where the client states none.
  func chat(anySeed: UInt64) throws(RequestError) -> GenerationRequest {
    guard let messages = request.messages else { throw .missing(field: "messages") }
    try RequestChecks.range("messages", messages.count, 1...ChatRequest.maximumMessages)
    var turns: [ChatMessage] = []
    for (index, message) in messages.enumerated() {
      guard (message.images ?? []).isEmpty else {
        throw .unsupported(field: "messages[\(index)].images", hint: "text is read, no images")
      }
      turns.append(
        ChatMessage(
          role: message.role, content: message.content ?? "", others: others(message, index)))
    }
    return try asked(.chat(turns), anySeed)
  }

  /// As one turn of a chat; or as it stands, where that is asked for.
  func generate(anySeed: UInt64) throws(RequestError) -> GenerationRequest {
    guard let prompt = request.prompt else { throw .missing(field: "prompt") }
    guard (request.suffix ?? "").isEmpty else {
      throw .unsupported(field: "suffix", hint: "text is only continued")
    }
    guard (request.images ?? []).isEmpty else {
      throw .unsupported(field: "images", hint: "text is read, no images")
    }
    if request.raw ?? false { return try asked(.text(prompt), anySeed) }
    var turns: [ChatMessage] = []
    if let system = request.system, !system.isEmpty {
      turns.append(ChatMessage(role: "system", content: system))
    }
    turns.append(ChatMessage(role: "user", content: prompt))
    return try asked(.chat(turns), anySeed)
  }

  private func asked(
    _ prompt: GenerationRequest.Prompt, _ anySeed: UInt64
  ) throws(RequestError) -> GenerationRequest {
    var asked = GenerationRequest(
      model: request.name, prompt: prompt,
      options: try (request.options ?? OllamaOptions())
        .generationOptions(format, anySeed: anySeed))
    asked.tools = tools
    return asked
  }

  /// Calls as the client sent them, and the name of the tool that answers.
  private func others(_ message: OllamaRequest.Message, _ index: Int) -> JSONObject {
    var others: [(key: String, value: JSONValue)] = []
    if let name = message.tool_name { others.append(("name", .string(name))) }
    if message.tool_calls?.isEmpty == false {
      let sent = body["messages"]?.elements ?? []
      let calls = sent.indices.contains(index) ? sent[index]["tool_calls"]?.elements ?? [] : []
      others.append(
        (
          "tool_calls",
          .array(
            calls.map { call in
              .call(
                name: call["function"]?["name"]?.string ?? "",
                arguments: call["function"]?["arguments"] ?? .object(JSONObject()), id: nil)
            })
        ))
    }
    return JSONObject(others)
  }
}
