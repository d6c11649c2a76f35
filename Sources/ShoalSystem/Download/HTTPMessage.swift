// What is said in HTTP (RFC 9110), as far as a download needs it.

public import Foundation

/// A GET request.
public struct HTTPRequest: Hashable, Sendable {
  public let url: URL
  public let headers: [String: String]

  public init(url: URL, headers: [String: String]) {
    self.url = url
    self.headers = headers
  }
}

/// The head of an answer.
public struct HTTPHead: Hashable, Sendable {
  public let status: Int
  /// By lower-case name.
  private let headers: [String: String]

  public init(status: Int, headers: [String: String]) {
    self.status = status
    var lowered: [String: String] = [:]
    for (name, value) in headers { lowered[name.lowercased()] = value }
    self.headers = lowered
  }

  public subscript(name: String) -> String? { headers[name.lowercased()] }

  public var contentLength: UInt64? { self["content-length"].flatMap { UInt64($0) } }

  /// `bytes 0-99/1234` (RFC 9110, section 14.4): where the part begins, and of how many bytes.
  /// The start is nil in `bytes */1234`, the total is nil where it is unknown.
  public var contentRange: (start: UInt64?, total: UInt64?)? {
    guard let text = self["content-range"], text.hasPrefix("bytes ") else { return nil }
    let sides = text.dropFirst(6).split(separator: "/")
    guard sides.count == 2 else { return nil }
    return (sides[0].split(separator: "-").first.flatMap { UInt64($0) }, UInt64(sides[1]))
  }

  /// Seconds that the server asks to be left alone (section 10.2.3); dates are not read.
  public var retryAfter: Duration? {
    self["retry-after"].flatMap { UInt32($0) }.map { .seconds(Int64($0)) }
  }

  /// An entity tag that names bytes exactly; weak ones (section 8.8.1) do not.
  public var strongTag: String? {
    guard let tag = self["etag"], tag.hasPrefix("\"") else { return nil }
    return tag
  }
}

extension URL {
  /// Scheme, host and port: who a secret is told to (RFC 6454).
  var origin: String {
    let port = port ?? (scheme == "https" ? 443 : 80)
    return "\(scheme?.lowercased() ?? "")://\(host()?.lowercased() ?? ""):\(port)"
  }
}
