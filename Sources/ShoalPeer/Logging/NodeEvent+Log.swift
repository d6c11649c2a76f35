// What a peer's log says of what happens at it, and how loudly.

import Logging
import ShoalLedger
import ShoalNode
import ShoalProtocol

extension Logger {
  func log(_ event: NodeEvent) {
    switch event {
    case .joined(let peer, let endpoint):
      info("peer joined", metadata: ["peer": "\(peer)", "address": "\(endpoint)"])
    case .lost(let peer): notice("peer lost", metadata: ["peer": "\(peer)"])
    case .view(let view, let peers):
      debug(
        "plans are made from a new view",
        metadata: ["view": "\(view)", "peers": .stringConvertible(peers)])
    case .name(let event): log(event)
    case .job(let event): log(event)
    case .leaving: notice("leaving the mesh")
    }
  }

  private func log(_ event: RegistryEvent) {
    switch event {
    // On most ledgers what is seen is final, too.
    case .final: break
    case .seen(let news):
      info(news.entry.isRetired ? "model retired" : "model named", metadata: metadata(news))
    case .undone(let news):
      warning("a publisher contradicted itself: its change is undone", metadata: metadata(news))
    }
  }

  private func metadata(_ news: RegistryNews) -> Logger.Metadata {
    [
      "name": "\(news.entry.name)", "model": "\(news.entry.model)",
      "publisher": "\(news.entry.publisher)",
    ]
  }

  private func log(_ event: JobEvent) {
    switch event {
    case .started(let job, let model, let peers, let promptTokens):
      info(
        "job started",
        metadata: [
          "job": "\(job)", "model": "\(model)", "peers": .stringConvertible(peers),
          "promptTokens": .stringConvertible(promptTokens),
        ])
    case .interrupted(let job, let failure, let blamed):
      notice(
        "job interrupted",
        metadata: [
          "job": "\(job)", "reason": "\(failure)", "blamed": .array(blamed.map { "\($0)" }),
        ])
    case .continued(let job, let term, let peers):
      notice(
        "job goes on with other peers",
        metadata: [
          "job": "\(job)", "term": .stringConvertible(Int(term)),
          "peers": .stringConvertible(peers),
        ])
    case .ended(let job, let tokens, let finish):
      info(
        "job ended",
        metadata: [
          "job": "\(job)", "tokens": .stringConvertible(tokens), "finish": "\(finish.rawValue)",
        ])
    case .failed(let job, let trouble):
      let metadata: Logger.Metadata = job.isEmpty ? [:] : ["job": "\(job)"]
      switch trouble {
      case .cancelled: info("job cancelled", metadata: metadata)
      case .refused: info("job refused", metadata: metadata)
      case .failure(let failure): fail("\(failure)", metadata)
      case .plan(let error): fail("no plan: \(error)", metadata)
      }
    }
  }

  private func fail(_ reason: String, _ metadata: Logger.Metadata) {
    warning("job failed", metadata: metadata.merging(["reason": .string(reason)]) { $1 })
  }
}
