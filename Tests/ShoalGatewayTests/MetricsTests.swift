// What /metrics says after a few jobs, in a form that Prometheus reads.

import NIOHTTP1
import ShoalGateway
import ShoalNode
import Testing

struct MetricsTests {
  @Test func `jobs, tokens and refusals are counted, and histograms add up`() async throws {
    let text = try await served(FakeNode()) { address in
      _ = try await raw(
        .POST, "/v1/completions", to: address,
        body: #"{"model":"tiny","prompt":"abc","max_tokens":4}"#)
      _ = try await raw(.GET, "/nowhere", to: address)
      return try await raw(.GET, "/metrics", to: address).body
    }
    let lines = text.split(separator: "\n").map(String.init)
    for line in [
      "shoal_peers_alive 1", #"shoal_peers{state="alive"} 1"#, "shoal_jobs_running 0",
      "shoal_jobs_total 1", "shoal_tokens_generated_total 4", "shoal_prompt_tokens_total 3",
      #"shoal_http_refusals_total{status="404"} 1"#, "shoal_first_token_seconds_count 1",
      "shoal_token_gap_seconds_count 3", #"shoal_token_gap_seconds_bucket{le="+Inf"} 3"#,
      #"shoal_token_part_seconds_count{part="wait"} 4"#, "shoal_queue_seconds_count 1",
    ] { #expect(lines.contains(line), "\(line)") }
    // A name is described once, before its samples; buckets never fall.
    var described: Set<String> = []
    var last = ("", 0)
    for line in lines {
      if line.hasPrefix("# TYPE ") {
        #expect(described.insert(String(line.split(separator: " ")[2])).inserted, "\(line)")
      } else if !line.hasPrefix("#") {
        let name = line.prefix { $0 != "{" && $0 != " " }
        let base = ["_bucket", "_sum", "_count"].reduce(String(name)) { name, end in
          name.hasSuffix(end) && described.contains(String(name.dropLast(end.count)))
            ? String(name.dropLast(end.count)) : name
        }
        #expect(described.contains(base), "\(line)")
        guard name.hasSuffix("_bucket"), let value = Int(line.split(separator: " ")[1]) else {
          continue
        }
        let series = String(line.prefix { $0 != "}" }.split(separator: "le=")[0])
        if series == last.0 { #expect(value >= last.1, "\(line)") }
        last = (series, value)
      }
    }
  }
}
