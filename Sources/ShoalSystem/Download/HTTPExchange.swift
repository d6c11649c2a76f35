// One GET request and its answer, over the system's HTTP and TLS. Redirects are not followed:
// whoever asks decides who else is asked, and with which headers.

internal import Foundation
internal import Synchronization

#if canImport(FoundationNetworking)
  internal import FoundationNetworking
#endif

/// Hears an answer as it arrives, one call at a time. False ends the exchange early.
protocol HTTPSink: AnyObject, Sendable {
  func head(_ head: HTTPHead) -> Bool
  func bytes(_ data: Data) -> Bool
}

enum HTTPOutcome: Sendable {
  /// The answer ended as its head said it would, or the sink wanted no more.
  case ended
  case broken(String)
}

/// Performs one request. The delegate's queue is serial, so the sink is, too.
final class HTTPExchange: NSObject, URLSessionDataDelegate, Sendable {
  private struct State {
    var waiting: CheckedContinuation<HTTPOutcome, Never>?
    var hasHead = false
    var isDone = false
  }
  private let sink: any HTTPSink
  private let state = Mutex(State())

  private init(_ sink: any HTTPSink) { self.sink = sink }

  /// - Parameter patience: how long nothing may arrive.
  static func perform(
    _ request: HTTPRequest, patience: Duration, into sink: any HTTPSink
  ) async throws -> HTTPOutcome {
    let exchange = HTTPExchange(sink)
    let configuration = URLSessionConfiguration.ephemeral
    configuration.httpCookieAcceptPolicy = .never
    configuration.urlCache = nil
    configuration.timeoutIntervalForRequest = TimeInterval(patience.components.seconds)
    let session = URLSession(
      configuration: configuration, delegate: exchange, delegateQueue: nil)
    defer { session.finishTasksAndInvalidate() }
    var asked = URLRequest(url: request.url)
    for (name, value) in request.headers { asked.setValue(value, forHTTPHeaderField: name) }
    let task = session.dataTask(with: asked)
    let outcome = await withTaskCancellationHandler {
      await withCheckedContinuation { waiting in
        exchange.state.withLock { $0.waiting = waiting }
        task.resume()
      }
    } onCancel: {
      task.cancel()
    }
    try Task.checkCancellation()
    return outcome
  }

  private func hear(_ response: URLResponse?) -> Bool {
    let isFirst = state.withLock { state in
      defer { state.hasHead = true }
      return !state.hasHead
    }
    guard isFirst, let response = response as? HTTPURLResponse else { return true }
    var headers: [String: String] = [:]
    for (name, value) in response.allHeaderFields {
      if let name = name as? String, let value = value as? String { headers[name] = value }
    }
    return sink.head(HTTPHead(status: response.statusCode, headers: headers))
  }

  private func stop(_ task: URLSessionTask) {
    state.withLock { $0.isDone = true }
    task.cancel()
  }

  private var isDone: Bool { state.withLock { $0.isDone } }

  // MARK: URLSessionDataDelegate

  func urlSession(
    _ session: URLSession, task: URLSessionTask,
    willPerformHTTPRedirection response: HTTPURLResponse, newRequest request: URLRequest,
    completionHandler: @escaping @Sendable (URLRequest?) -> Void
  ) {
    if !hear(response) { state.withLock { $0.isDone = true } }
    completionHandler(nil)
  }

  func urlSession(
    _ session: URLSession, dataTask: URLSessionDataTask, didReceive response: URLResponse,
    completionHandler: @escaping @Sendable (URLSession.ResponseDisposition) -> Void
  ) {
    let wantsBody = hear(response)
    completionHandler(.allow)
    if !wantsBody { stop(dataTask) }
  }

  func urlSession(_ session: URLSession, dataTask: URLSessionDataTask, didReceive data: Data) {
    guard !isDone else { return }
    if !hear(dataTask.response) || !sink.bytes(data) { stop(dataTask) }
  }

  func urlSession(
    _ session: URLSession, task: URLSessionTask, didCompleteWithError error: (any Error)?
  ) {
    if error == nil, !isDone, !hear(task.response) { state.withLock { $0.isDone = true } }
    let (waiting, isDone) = state.withLock { state in
      defer { state.waiting = nil }
      return (state.waiting, state.isDone)
    }
    let reason = error.map { ($0 as NSError).localizedDescription }
    waiting?.resume(returning: isDone ? .ended : reason.map { .broken($0) } ?? .ended)
  }
}
