// What is asked of a home's router so that a port leads in, and what it answers: PCP (RFC 6887) and
// its forerunner NAT-PMP (RFC 6886). Numbers are big-endian, as everywhere in these two.

/// How a router was asked.
public enum PortMappingMethod: String, Hashable, Sendable, CaseIterable {
  case pcp = "PCP"
  case natPMP = "NAT-PMP"
}

/// What a mapping is for, by its number in IP.
public enum MappedProtocol: UInt8, Hashable, Sendable, CaseIterable {
  case tcp = 6
  case udp = 17

  /// The opcode of NAT-PMP (RFC 6886, section 3.3).
  fileprivate var opcode: UInt8 { self == .udp ? 1 : 2 }
}

/// One datagram to a router.
public enum PortMappingQuestion: Hashable, Sendable {
  /// NAT-PMP: which address the router has outside. PCP says so with each mapping.
  case address
  /// Let what comes to a port outside in to `port` of this machine; lifetime 0 ends that.
  case map(MappedProtocol, port: UInt16, suggested: UInt16, seconds: UInt32)

  /// RFC 6886, sections 3.2 and 3.3.
  public var natPMP: [UInt8] {
    switch self {
    case .address: [0, 0]
    case .map(let kind, let port, let suggested, let seconds):
      [0, kind.opcode, 0, 0] + bigEndian(port) + bigEndian(suggested) + bigEndian(seconds)
    }
  }

  /// The MAP request of RFC 6887, sections 7.1 and 11.1; nil of a question that PCP does not have.
  ///
  /// - Parameters:
  ///   - client: this machine's address, as the router sees it.
  ///   - nonce: 12 bytes that the answer repeats.
  ///   - outside: the address that the last answer named, to be kept.
  public func pcp(client: [UInt8], nonce: [UInt8], outside: [UInt8]? = nil) -> [UInt8]? {
    guard case .map(let kind, let port, let suggested, let seconds) = self else { return nil }
    let any = Array(repeating: UInt8(0), count: client.count)
    return [2, 1, 0, 0] + bigEndian(seconds) + inIPv6(client)
      + nonce + [kind.rawValue, 0, 0, 0] + bigEndian(port) + bigEndian(suggested)
      + inIPv6(outside ?? any)
  }
}

/// One datagram from a router.
public enum PortMappingAnswer: Hashable, Sendable {
  case address([UInt8])
  /// `address` only in PCP, whose answers repeat the nonce, too.
  case mapped(
    MappedProtocol, port: UInt16, outside: UInt16, address: [UInt8]?, nonce: [UInt8]?,
    seconds: UInt32)
  /// It does not speak this method, or not this version of it.
  case unsupported
  /// It speaks it and does not map; when it may be asked again, where it says.
  case refused(code: UInt16, seconds: UInt32?)

  /// - Parameter method: what was asked by. A router that knows NAT-PMP alone answers PCP by that.
  public init(bytes: [UInt8], to method: PortMappingMethod) throws(WireError) {
    guard let version = bytes.first else { throw .truncated(need: 1, have: 0) }
    switch (method, version) {
    case (.pcp, 2): self = try PortMappingAnswer(pcp: bytes)
    case (.natPMP, 0): self = try PortMappingAnswer(natPMP: bytes)
    // The version that the router would like to hear (RFC 6887, section 9; RFC 6886, section 9).
    case (.pcp, 0), (.pcp, 1), (.natPMP, 1), (.natPMP, 2): self = .unsupported
    case (_, _): throw .unknown(field: "version", value: UInt64(version))
    }
  }

  private init(pcp bytes: [UInt8]) throws(WireError) {
    guard bytes.count >= 24 else { throw .truncated(need: 24, have: bytes.count) }
    guard bytes[1] & 0x80 != 0 else { throw .invalid(field: "request instead of an answer") }
    let (code, seconds) = (bytes[3], UInt32(number(bytes[4..<8])))
    switch code {
    case 0: break
    case 1, 4:
      self = .unsupported
      return
    case _:
      self = .refused(code: UInt16(code), seconds: seconds)
      return
    }
    guard bytes[1] == 0x81 else {
      throw .unknown(field: "opcode", value: UInt64(bytes[1] & 0x7f))
    }
    // Options may follow; none is understood, and none was asked for.
    guard bytes.count >= 60 else { throw .truncated(need: 60, have: bytes.count) }
    guard let kind = MappedProtocol(rawValue: bytes[36]) else {
      throw .unknown(field: "protocol", value: UInt64(bytes[36]))
    }
    self = .mapped(
      kind, port: UInt16(number(bytes[40..<42])), outside: UInt16(number(bytes[42..<44])),
      address: Array(bytes[44..<60]), nonce: Array(bytes[24..<36]), seconds: seconds)
  }

  private init(natPMP bytes: [UInt8]) throws(WireError) {
    guard bytes.count >= 4 else { throw .truncated(need: 4, have: bytes.count) }
    guard bytes[1] & 0x80 != 0 else { throw .invalid(field: "request instead of an answer") }
    let code = UInt16(number(bytes[2..<4]))
    switch code {
    case 0: break
    case 1, 5:
      self = .unsupported
      return
    case _:
      self = .refused(code: code, seconds: nil)
      return
    }
    switch bytes[1] & 0x7f {
    case 0:
      guard bytes.count == 12 else { throw .truncated(need: 12, have: bytes.count) }
      self = .address(Array(bytes[8..<12]))
    case 1, 2:
      guard bytes.count == 16 else { throw .truncated(need: 16, have: bytes.count) }
      self = .mapped(
        bytes[1] & 0x7f == 1 ? .udp : .tcp, port: UInt16(number(bytes[8..<10])),
        outside: UInt16(number(bytes[10..<12])), address: nil, nonce: nil,
        seconds: UInt32(number(bytes[12..<16])))
    case let opcode: throw .unknown(field: "opcode", value: UInt64(opcode))
    }
  }
}

private func bigEndian<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
  (0..<Number.bitWidth / 8).reversed().map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
}

private func number(_ bytes: ArraySlice<UInt8>) -> UInt64 {
  bytes.reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
}

/// RFC 4291, section 2.5.5.2.
private func inIPv6(_ address: [UInt8]) -> [UInt8] {
  address.count == 16
    ? address : [UInt8](repeating: 0, count: 10) + [0xff, 0xff] + address.prefix(4)
}
