// Where a peer can be reached: an IP address and a port, UDP and TCP alike.

/// An IPv4 or IPv6 address with a port.
public struct Endpoint: Hashable, Comparable, Sendable {
  /// The address as a number; the upper half of an IPv4 address is 0. Two words, since endpoints
  /// are compared for each datagram.
  private let high: UInt64
  private let low: UInt64
  private let isIPv4: Bool
  public let port: UInt16

  /// 4 bytes (IPv4) or 16 (IPv6), in network order.
  public var address: [UInt8] {
    let bytes = { (word: UInt64) in
      (0..<8).map { UInt8(truncatingIfNeeded: word >> (56 - 8 * $0)) }
    }
    return isIPv4 ? Array(bytes(low).suffix(4)) : bytes(high) + bytes(low)
  }

  /// Nil unless `address` has 4 or 16 bytes. An IPv4 address mapped into IPv6 becomes IPv4
  /// (RFC 4291, section 2.5.5.2), so that one host has one name.
  public init?(address: [UInt8], port: UInt16) {
    guard address.count == 4 || address.count == 16 else { return nil }
    let word = { (bytes: ArraySlice<UInt8>) in bytes.reduce(UInt64(0)) { $0 << 8 | UInt64($1) } }
    let (high, low) = (word(address.dropLast(8)), word(address.suffix(8)))
    isIPv4 = address.count == 4 || (high == 0 && low >> 32 == 0xffff)
    self.high = high
    self.low = isIPv4 ? low & 0xffff_ffff : low
    self.port = port
  }

  /// An IPv4 address as a number; nil where it is none.
  package var ipv4: UInt32? { isIPv4 ? UInt32(truncatingIfNeeded: low) : nil }

  public var isLoopback: Bool { isIPv4 ? low >> 24 == 127 : high == 0 && low == 1 }

  /// IPv4 first, then by address, then by port.
  public static func < (left: Endpoint, right: Endpoint) -> Bool {
    if left.isIPv4 != right.isIPv4 { return left.isIPv4 }
    return (left.high, left.low, left.port) < (right.high, right.low, right.port)
  }
}

extension Endpoint: CustomStringConvertible {
  /// `192.0.2.1:7433` or `[2001:db8::1]:7433` (RFC 3986, section 3.2.2; RFC 5952).
  public var description: String {
    guard address.count == 16 else {
      return address.map(String.init).joined(separator: ".") + ":\(port)"
    }
    let groups = (0..<8).map { UInt16(address[2 * $0]) << 8 | UInt16(address[2 * $0 + 1]) }
    return "[\(Endpoint.compressed(groups))]:\(port)"
  }

  /// Replaces the longest run of two or more zero groups by `::`.
  private static func compressed(_ groups: [UInt16]) -> String {
    var best = 0..<0
    var start = 0
    for index in 0...groups.count {
      if index < groups.count, groups[index] == 0 { continue }
      if index - start > max(best.count, 1) { best = start..<index }
      start = index + 1
    }
    let text = { (range: Range<Int>) in
      groups[range].map { String($0, radix: 16) }.joined(separator: ":")
    }
    guard !best.isEmpty else { return text(0..<8) }
    return text(0..<best.lowerBound) + "::" + text(best.upperBound..<8)
  }

  /// Reads `192.0.2.1:7433` or `[2001:db8::1]:7433`. Nil for anything else; names are not resolved.
  public init?(_ text: some StringProtocol) {
    guard let colon = text.lastIndex(of: ":"),
      let port = UInt16(text[text.index(after: colon)...])
    else { return nil }
    let host = text[..<colon]
    if host.first == "[", host.last == "]" {
      guard let groups = Endpoint.groups(String(host.dropFirst().dropLast())) else { return nil }
      self.init(
        address: groups.flatMap { [UInt8($0 >> 8), UInt8(truncatingIfNeeded: $0)] }, port: port)
    } else {
      let parts = host.split(separator: ".", omittingEmptySubsequences: false)
      let bytes = parts.compactMap { UInt8($0) }
      guard parts.count == 4, bytes.count == 4 else { return nil }
      self.init(address: bytes, port: port)
    }
  }

  private static func groups(_ text: String) -> [UInt16]? {
    let halves = text.split(separator: "::", omittingEmptySubsequences: false)
    guard halves.count <= 2 else { return nil }
    let parsed = halves.map { half in
      half.split(separator: ":").map { UInt16($0, radix: 16) }
    }
    guard parsed.allSatisfy({ !$0.contains(nil) }) else { return nil }
    let front = parsed[0].compactMap(\.self)
    guard parsed.count == 2 else { return front.count == 8 ? front : nil }
    let back = parsed[1].compactMap(\.self)
    guard front.count + back.count < 8 else { return nil }
    return front + [UInt16](repeating: 0, count: 8 - front.count - back.count) + back
  }
}
