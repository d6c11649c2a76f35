// `GET /metrics`: counters and gauges in Prometheus' text format, version 0.0.4.

import HTTPTypes
import Hummingbird
import NIOCore
import ShoalNode
import ShoalProtocol

struct MetricsRoute {
  let generating: Generating

  func add(to router: Router<BasicRequestContext>) {
    router.get("/metrics") { _, _ in
      let alive = await generating.node.peers().count { $0.state.isLive }
      let text = MetricsRoute.text(
        generating.counters.values, peersAlive: alive, running: generating.slots.running)
      return Response(
        status: .ok, headers: [.contentType: "text/plain; version=0.0.4"],
        body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }
  }

  static func text(_ values: Counters.Values, peersAlive: Int, running: Int) -> String {
    let rows: [(name: String, type: String, help: String, value: Int)] = [
      ("shoal_peers_alive", "gauge", "Members that are alive or suspect.", peersAlive),
      ("shoal_jobs_running", "gauge", "Generations that run for this gateway.", running),
      ("shoal_jobs_total", "counter", "Generations that were begun.", values.jobs),
      ("shoal_job_failures_total", "counter", "Generations that failed.", values.jobFailures),
      ("shoal_tokens_generated_total", "counter", "Tokens generated.", values.tokens),
      ("shoal_prompt_tokens_total", "counter", "Tokens of prompts.", values.promptTokens),
      ("shoal_http_requests_total", "counter", "Requests that came.", values.requests),
      ("shoal_http_refusals_total", "counter", "Requests answered with an error.", values.refusals),
    ]
    return rows.map { row in
      """
      # HELP \(row.name) \(row.help)
      # TYPE \(row.name) \(row.type)
      \(row.name) \(row.value)

      """
    }.joined()
  }
}
