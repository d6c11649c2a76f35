// `GET /metrics`: counters, gauges and histograms in Prometheus' text format, version 0.0.4.

import HTTPTypes
import Hummingbird
import NIOCore
import ShoalNode
import ShoalProtocol

struct MetricsRoute {
  let generating: Generating

  func add(to router: Router<BasicRequestContext>) {
    router.get("/metrics") { _, _ in
      let peers = await generating.node.peers().map(\.state)
      let text = MetricsRoute.text(
        generating.counters.values, peers: peers, generating.admission.counts)
      return Response(
        status: .ok, headers: [.contentType: "text/plain; version=0.0.4"],
        body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }
  }

  private struct Row {
    let name: String
    let type: String
    let help: String
    /// Labels in braces, or nothing, and the value.
    let samples: [(labels: String, value: String)]

    init(_ name: String, _ type: String, _ help: String, _ value: some BinaryInteger) {
      self.init(name, type, help, samples: [("", "\(value)")])
    }

    init(
      _ name: String, _ type: String, _ help: String,
      samples: [(labels: String, value: String)]
    ) {
      (self.name, self.type, self.help, self.samples) = (name, type, help, samples)
    }

    var text: String {
      MetricsRoute.head(name, type, help)
        + samples.map { "\(name)\($0.labels) \($0.value)\n" }.joined()
    }
  }

  static func text(
    _ values: Counters.Values, peers: [MemberState], _ jobs: (running: Int, waiting: Int)
  ) -> String {
    let states = Dictionary(grouping: peers) { "\($0)" }
      .sorted { $0.key < $1.key }
      .map { (labels: "{state=\"\($0.key)\"}", value: "\($0.value.count)") }
    let refusals = values.refusals.sorted { $0.key < $1.key }
      .map { (labels: "{status=\"\($0.key)\"}", value: "\($0.value)") }
    let rows = [
      Row(
        "shoal_peers_alive", "gauge", "Members that are alive or suspect.",
        peers.count { $0.isLive }),
      Row("shoal_peers", "gauge", "Members by state.", samples: states),
      Row("shoal_jobs_running", "gauge", "Generations that run for this gateway.", jobs.running),
      Row("shoal_jobs_waiting", "gauge", "Generations that wait for their turn.", jobs.waiting),
      Row("shoal_jobs_total", "counter", "Generations that were begun.", values.jobs),
      Row(
        "shoal_job_failures_total", "counter", "Generations that failed.", values.jobFailures),
      Row(
        "shoal_failovers_total", "counter", "Plans that followed the loss of a peer.",
        values.failovers),
      Row("shoal_tokens_generated_total", "counter", "Tokens generated.", values.tokens),
      Row("shoal_prompt_tokens_total", "counter", "Tokens of prompts.", values.promptTokens),
      Row(
        "shoal_sum_bytes_total", "counter",
        "Bytes of partial sums that the rank sent that computed longest.", values.sumBytes),
      Row("shoal_http_requests_total", "counter", "Requests that came.", values.requests),
      Row(
        "shoal_http_refusals_total", "counter", "Requests answered with an error, by status.",
        samples: refusals),
    ]
    return rows.map(\.text).joined() + histograms(values)
  }

  private static func histograms(_ values: Counters.Values) -> String {
    let single: [(name: String, help: String, histogram: Histogram)] = [
      ("shoal_queue_seconds", "Time in the queue.", values.queued),
      (
        "shoal_first_token_seconds", "From the request to the first token, the queue included.",
        values.firstToken
      ),
      ("shoal_token_gap_seconds", "Between two tokens of a stream.", values.tokenGap),
      (
        "shoal_token_delivery_seconds",
        "From a token's choice until it is handed to the client's connection.", values.delivery
      ),
    ]
    let part = "shoal_token_part_seconds"
    return single.map { head($0.name, "histogram", $0.help) + $0.histogram.text($0.name) }.joined()
      + head(
        part, "histogram", "Where a token's time went at the rank that computed longest.")
      + values.compute.text(part, labels: "part=\"compute\"")
      + values.exchange.text(part, labels: "part=\"exchange\"")
      + values.wait.text(part, labels: "part=\"wait\"")
  }

  private static func head(_ name: String, _ type: String, _ help: String) -> String {
    "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n"
  }
}
