// One generation as spans, in OTLP's JSON form (OpenTelemetry Protocol 1.x, "JSON Protobuf
// Encoding"): the queue, getting ready, the prompt, the tokens, and each plan that was lost.

import Foundation
import ShoalLedger
import ShoalNode
import ShoalProtocol

/// Notes when things happened; knows nothing of text.
struct JobTrace: Sendable {
  private let start: Moment
  /// Of `start`, in nanoseconds since 1970.
  private let unixStart: UInt64
  private let ids: [UInt64]
  private var turn: Moment?
  private var ready: Moment?
  private var firstToken: Moment?
  private var lastToken: Moment?
  private var model: String
  private var peers = 0
  private var promptTokens = 0
  private var tokens = 0
  private var losses: [(at: Moment, term: UInt32)] = []
  /// Of all tokens, at the rank that computed longest, in nanoseconds.
  private var cost = StepCost.zero

  /// - Parameter ids: eight random numbers, from which the ids of trace and spans are made.
  init(model: String, start: Moment, unixMilliseconds: UInt64, ids: [UInt64]) {
    self.model = model
    self.start = start
    unixStart = unixMilliseconds * 1_000_000
    self.ids = ids
  }

  mutating func hasTurn(at moment: Moment) { turn = moment }

  mutating func note(_ event: GenerationEvent, at moment: Moment) {
    switch event {
    case .fetching, .witnesses, .interrupted: break
    case .started(_, let entry, _, let members, let prompt):
      ready = moment
      model = entry.name
      peers = members.count
      promptTokens = prompt.count
    case .continued(let term, _, let members):
      losses.append((moment, term.value))
      peers = members.count
    case .token(let token):
      firstToken = firstToken ?? moment
      lastToken = moment
      tokens += 1
      cost.compute += token.cost.compute
      cost.exchange += token.cost.exchange
      cost.wait += token.cost.wait
      cost.bytesSent += token.cost.bytesSent
    }
  }

  // MARK: OTLP

  /// One `ExportTraceServiceRequest`.
  ///
  /// - Parameter failure: why the job failed; nil where it did not.
  func json(peer: PeerID, end: Moment, failure: String?) throws -> Data {
    let whole = Span(
      traceId: trace, spanId: hex(2), parentSpanId: nil, name: "generation", kind: 2,
      startTimeUnixNano: nanoseconds(start), endTimeUnixNano: nanoseconds(end),
      attributes: attributes,
      events: losses.map { loss in
        Span.Event(
          timeUnixNano: nanoseconds(loss.at), name: "peer lost",
          attributes: [Attribute("shoal.term", Int(loss.term))])
      }, status: Span.Status(code: failure == nil ? 1 : 2, message: failure))
    return try JSONBody.encode(
      Export(
        resourceSpans: [
          .init(
            resource: .init(attributes: [
              Attribute("service.name", "shoal"),
              Attribute("service.instance.id", peer.raw.hex),
            ]),
            scopeSpans: [.init(scope: .init(name: "shoal.gateway"), spans: [whole] + phases(end))])
        ]))
  }

  /// The parts of the whole, as far as it came.
  private func phases(_ end: Moment) -> [Span] {
    let marks: [(name: String, from: Moment?, to: Moment?)] = [
      ("queue", start, turn), ("prepare", turn, ready), ("prompt", ready, firstToken),
      ("decode", firstToken, lastToken),
    ]
    return marks.enumerated().compactMap { index, mark in
      guard let from = mark.from else { return nil }
      return Span(
        traceId: trace, spanId: hex(3 + index), parentSpanId: hex(2), name: mark.name, kind: 1,
        startTimeUnixNano: nanoseconds(from), endTimeUnixNano: nanoseconds(mark.to ?? end),
        attributes: [], events: [], status: Span.Status(code: 0, message: nil))
    }
  }

  private var attributes: [Attribute] {
    [
      Attribute("gen_ai.request.model", model),
      Attribute("gen_ai.usage.input_tokens", promptTokens),
      Attribute("gen_ai.usage.output_tokens", tokens),
      Attribute("shoal.peers", peers),
      Attribute("shoal.compute_ns", Int(clamping: cost.compute)),
      Attribute("shoal.exchange_ns", Int(clamping: cost.exchange)),
      Attribute("shoal.wait_ns", Int(clamping: cost.wait)),
      Attribute("shoal.sum_bytes", Int(clamping: cost.bytesSent)),
    ]
  }

  private var trace: String { hex(0) + hex(1) }

  private func hex(_ index: Int) -> String {
    let text = String(ids[index], radix: 16)
    return String(repeating: "0", count: 16 - text.count) + text
  }

  private func nanoseconds(_ moment: Moment) -> String {
    "\(unixStart + UInt64(clamping: start.until(moment)))"
  }

  private struct Export: Encodable {
    struct Resource: Encodable { let attributes: [Attribute] }
    struct Scope: Encodable { let name: String }
    struct ScopeSpans: Encodable {
      let scope: Scope
      let spans: [Span]
    }
    struct ResourceSpans: Encodable {
      let resource: Resource
      let scopeSpans: [ScopeSpans]
    }
    let resourceSpans: [ResourceSpans]
  }

  private struct Span: Encodable {
    struct Event: Encodable {
      let timeUnixNano: String
      let name: String
      let attributes: [Attribute]
    }
    struct Status: Encodable {
      let code: Int
      let message: String?
    }
    let traceId: String
    let spanId: String
    let parentSpanId: String?
    let name: String
    let kind: Int
    let startTimeUnixNano: String
    let endTimeUnixNano: String
    let attributes: [Attribute]
    let events: [Event]
    let status: Status
  }

  private struct Attribute: Encodable {
    struct Value: Encodable {
      var stringValue: String?
      /// 64 bits are a string in JSON.
      var intValue: String?
    }
    let key: String
    let value: Value

    init(_ key: String, _ text: String) { (self.key, value) = (key, Value(stringValue: text)) }
    init(_ key: String, _ number: Int) { (self.key, value) = (key, Value(intValue: "\(number)")) }
  }
}
