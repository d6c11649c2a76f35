// Decides how one file is downloaded: what is asked next, what is kept, when to wait, when to give
// up. Pure: a shell speaks HTTP and writes the file.

public import Foundation
public import ShoalProtocol

/// What is known of a file before it is asked for.
public struct DownloadOrder: Hashable, Sendable {
  public var url: URL
  public var byteCount: UInt64?
  public var sha256: Bytes32?
  /// Sent to `tokenOrigin` and to nobody else, redirects included.
  public var token: String?
  public var tokenOrigin: URL?

  public init(
    url: URL, byteCount: UInt64? = nil, sha256: Bytes32? = nil, token: String? = nil,
    tokenOrigin: URL? = nil
  ) {
    self.url = url
    self.byteCount = byteCount
    self.sha256 = sha256
    self.token = token
    self.tokenOrigin = tokenOrigin
  }
}

/// How patient a download is.
public struct DownloadRules: Hashable, Sendable {
  /// Attempts without a byte of progress.
  public var attempts = 8
  public var firstDelay = Duration.milliseconds(500)
  public var longestDelay = Duration.seconds(30)
  /// The longest wait that a server may ask for.
  public var longestRetryAfter = Duration.seconds(300)
  public var redirects = 5
  /// One request asks for no more: what has arrived and is not yet on disk is bounded by it.
  public var pieceBytes: UInt64 = 64 << 20
  /// A file that is longer is refused as soon as that shows.
  public var byteLimit = UInt64.max

  public init() {}
}

/// One file on its way.
///
/// Bytes are asked for in pieces (RFC 9110, section 14), so that a broken connection costs one. A
/// server that sends the whole instead is taken at its word. What `HEAD` would say is read from
/// the first answer; of a redirect by the hub, `X-Linked-Size` and `X-Linked-ETag` are believed
/// where the order does not say.
public struct DownloadCore: Sendable {
  public enum Event: Hashable, Sendable {
    case start
    case head(HTTPHead)
    /// Body bytes of an answer that was accepted.
    case bytes(Int)
    /// The answer ended as it should.
    case end
    /// The connection did not come about or broke.
    case broken(String)
    case waited
    case hashed(Bytes32)
  }

  public enum Effect: Hashable, Sendable {
    case ask(HTTPRequest)
    /// The answer's body belongs at `offset`.
    case accept
    /// Forget all bytes and the tag.
    case restart
    /// Keep this tag with the partial file.
    case remember(tag: String)
    case wait(Duration, because: String)
    /// Hash the whole file.
    case hash
    case finish
    case fail(DownloadError)
  }

  /// Bytes on disk.
  public private(set) var offset: UInt64
  /// Bytes of the whole file, once known.
  public private(set) var total: UInt64?
  private var order: DownloadOrder
  private let rules: DownloadRules
  private var tag: String?
  private var current: URL
  private var redirects = 0
  private var failures = 0
  /// The most bytes that were ever here: only beyond it there is progress.
  private var furthest: UInt64
  private var hasRehashed = false

  /// - Parameters:
  ///   - offset: bytes of an earlier attempt; they count only with a tag or a checksum to hold
  ///     them to.
  ///   - tag: what the server called those bytes.
  public init(
    _ order: DownloadOrder, rules: DownloadRules = DownloadRules(), offset: UInt64, tag: String?
  ) {
    self.order = order
    self.rules = rules
    self.offset = offset
    furthest = offset
    self.tag = tag
    total = order.byteCount
    current = order.url
  }

  public mutating func handle(_ event: Event) -> [Effect] {
    switch event {
    case .start: return start()
    case .head(let head): return answered(head)
    case .bytes(let count): return received(UInt64(count))
    case .end: return ended()
    case .broken(let reason): return retry(reason)
    case .waited: return ask()
    case .hashed(let hash): return checked(hash)
    }
  }

  // MARK: Asking

  private mutating func start() -> [Effect] {
    guard ["http", "https"].contains(current.scheme?.lowercased() ?? ""), current.host() != nil
    else { return [.fail(.badAddress(current.absoluteString))] }
    var effects: [Effect] = []
    if offset > 0, tag == nil && order.sha256 == nil || offset > total ?? .max {
      effects = restart()
    }
    return effects + (isComplete ? complete() : ask())
  }

  private var isComplete: Bool { total == offset }

  private mutating func restart() -> [Effect] {
    offset = 0
    tag = nil
    return [.restart]
  }

  /// The next piece, from the address that was ordered: those that a hub redirects to expire.
  private mutating func ask() -> [Effect] {
    current = order.url
    redirects = 0
    return [.ask(request())]
  }

  private func request() -> HTTPRequest {
    let end = min(offset + rules.pieceBytes, max(total ?? .max, offset + 1))
    var headers = ["Range": "bytes=\(offset)-\(end - 1)", "Accept-Encoding": "identity"]
    if offset > 0, let tag { headers["If-Range"] = tag }
    if sendsToken, let token = order.token { headers["Authorization"] = "Bearer \(token)" }
    return HTTPRequest(url: current, headers: headers)
  }

  private var sendsToken: Bool {
    order.token != nil && order.tokenOrigin?.origin == current.origin
  }

  // MARK: Answers

  private mutating func answered(_ head: HTTPHead) -> [Effect] {
    switch head.status {
    case 200: return whole(head)
    case 206: return part(head)
    case 416: return unsatisfied(head)
    case 301, 302, 303, 307, 308: return redirected(head)
    case 401, 403:
      // An address that a hub has signed may have expired meanwhile.
      if current != order.url { return retry("status \(head.status)") }
      return [
        .fail(.refused(head.status, url: order.url.absoluteString, hadToken: sendsToken))
      ]
    case 408, 425, 429, 500, 502, 503, 504: return retry("status \(head.status)", head.retryAfter)
    case let status: return [.fail(.status(status, url: current.absoluteString))]
    }
  }

  private mutating func whole(_ head: HTTPHead) -> [Effect] {
    var effects = offset > 0 ? restart() : []
    if let length = head.contentLength {
      if let refusal = learn(length) { return effects + [refusal] }
    }
    effects += remember(head)
    return effects + [.accept]
  }

  private mutating func part(_ head: HTTPHead) -> [Effect] {
    guard let range = head.contentRange, range.start == offset else {
      return restart() + retry("a part that was not asked for")
    }
    if let total = range.total, let refusal = learn(total) { return [refusal] }
    if offset > 0, let tag, let found = head.strongTag, found != tag {
      return restart() + retry("the file has changed")
    }
    return remember(head) + [.accept]
  }

  /// Nothing lies at the offset: the file is empty, complete, or another than it was.
  private mutating func unsatisfied(_ head: HTTPHead) -> [Effect] {
    if let total = head.contentRange?.total {
      if let refusal = learn(total) { return [refusal] }
      if isComplete { return complete() }
    }
    return restart() + retry("status 416")
  }

  private mutating func redirected(_ head: HTTPHead) -> [Effect] {
    redirects += 1
    guard redirects <= rules.redirects else {
      return [.fail(.tooManyRedirects(rules.redirects, url: order.url.absoluteString))]
    }
    guard let place = head["location"], let next = URL(string: place, relativeTo: current),
      ["http", "https"].contains(next.scheme?.lowercased() ?? ""), next.host() != nil,
      !(current.scheme == "https" && next.scheme?.lowercased() == "http")
    else { return [.fail(.badAddress(head["location"] ?? "a redirect without a location"))] }
    // What the hub says of the file that it keeps elsewhere.
    if order.tokenOrigin?.origin == current.origin {
      if let text = head["x-linked-size"], let size = UInt64(text), let refusal = learn(size) {
        return [refusal]
      }
      if order.sha256 == nil, let text = head["x-linked-etag"] {
        order.sha256 = Bytes32(hex: text.filter { $0 != "\"" })
      }
    }
    current = next.absoluteURL
    return [.ask(request())]
  }

  /// Takes a size that the server states; the refusal, where it contradicts what is known.
  private mutating func learn(_ size: UInt64) -> Effect? {
    if let total, total != size {
      return .fail(.size(expected: total, found: size, url: order.url.absoluteString))
    }
    guard size <= rules.byteLimit else { return tooLarge(size) }
    total = size
    return nil
  }

  private func tooLarge(_ size: UInt64) -> Effect {
    .fail(.tooLarge(limit: rules.byteLimit, found: size, url: order.url.absoluteString))
  }

  private mutating func remember(_ head: HTTPHead) -> [Effect] {
    guard let found = head.strongTag, found != tag else { return [] }
    tag = found
    return [.remember(tag: found)]
  }

  // MARK: Bytes

  private mutating func received(_ count: UInt64) -> [Effect] {
    let (end, overflow) = offset.addingReportingOverflow(count)
    guard !overflow, end <= total ?? .max else {
      return [
        .fail(.size(expected: total ?? 0, found: end, url: order.url.absoluteString))
      ]
    }
    guard end <= rules.byteLimit else { return [tooLarge(end)] }
    offset = end
    if offset > furthest {
      furthest = offset
      failures = 0
    }
    return []
  }

  private mutating func ended() -> [Effect] {
    if total == nil { total = offset }
    if isComplete { return complete() }
    // An answer without a byte is no progress, or a server could keep us for ever.
    return failures > 0 ? retry("an answer without bytes") : again()
  }

  private mutating func again() -> [Effect] {
    failures = 1
    return ask()
  }

  private func complete() -> [Effect] { order.sha256 == nil ? [.finish] : [.hash] }

  private mutating func checked(_ found: Bytes32) -> [Effect] {
    guard let expected = order.sha256, expected != found else { return [.finish] }
    guard !hasRehashed else {
      return [
        .fail(.checksum(expected: expected, found: found, url: order.url.absoluteString))
      ]
    }
    // What lay here from before, or one bad transfer, gets a second chance from the start.
    hasRehashed = true
    furthest = 0
    return restart() + ask()
  }

  private mutating func retry(_ reason: String, _ asked: Duration? = nil) -> [Effect] {
    failures += 1
    guard failures <= rules.attempts else {
      return [
        .fail(
          .gaveUp(attempts: rules.attempts, last: reason, url: order.url.absoluteString))
      ]
    }
    let wait =
      asked.map { min($0, rules.longestRetryAfter) }
      ?? min(rules.firstDelay * (1 << min(failures - 1, 16)), rules.longestDelay)
    return [.wait(wait, because: reason)]
  }
}
