// Which addresses mean the same host wherever they are read.

extension Endpoint {
  /// Whether the address is meant to be reached from anywhere: none of a private network, of one
  /// link, of a carrier's translation (RFC 1918, RFC 6598, RFC 3927, RFC 4193, RFC 4291).
  public var isGlobal: Bool {
    if address.count == 4 {
      return switch (address[0], address[1]) {
      case (0, _), (10, _), (127, _), (169, 254), (192, 168), (224..., _): false
      case (172, 16...31), (100, 64...127): false
      case _: true
      }
    }
    // Unique local fc00::/7, link-local fe80::/10, multicast ff00::/8.
    let isLocal = address[0] & 0xfe == 0xfc || (address[0] == 0xfe && address[1] & 0xc0 == 0x80)
    return !isLocal && address[0] != 0xff && !address.dropLast().allSatisfy { $0 == 0 }
  }
}
