// Who may wait at a door: guests that have not yet shown who they are, few of them, and not all
// from one place. Whoever has waited longest makes room, so that silence keeps nobody else out.

/// What one host or one household has of the address space: an IPv4 address, or the first 64 bits
/// of an IPv6 address (RFC 6177: a site is given at least that).
public struct AddressBlock: Hashable, Comparable, Sendable {
  private let prefix: [UInt8]

  public init(_ endpoint: Endpoint) {
    prefix = endpoint.address.count == 4 ? endpoint.address : Array(endpoint.address.prefix(8))
  }

  public static func < (left: AddressBlock, right: AddressBlock) -> Bool {
    left.prefix.lexicographicallyPrecedes(right.prefix)
  }
}

/// Guests in the order in which they came, by where they came from. A core: whoever has one closes
/// the connections of those that it names.
public struct WaitingRoom<Guest: Hashable & Sendable>: Sendable {
  public let limit: Int
  /// Of one block of addresses.
  public let limitOfOne: Int
  private struct Place: Sendable {
    let guest: Guest
    let arrival: UInt64
  }
  /// By block, the longest waiting first.
  private var places: [AddressBlock: [Place]] = [:]
  private var blocks: [Guest: AddressBlock] = [:]
  private var arrivals: UInt64 = 0

  public init(limit: Int, limitOfOne: Int) {
    precondition(limit > 0 && limitOfOne > 0, "room for \(limit), for \(limitOfOne) of one block")
    (self.limit, self.limitOfOne) = (limit, limitOfOne)
  }

  /// Connections whose handshake is under way.
  public static var strangers: WaitingRoom {
    WaitingRoom(limit: Limits.unprovenStreams, limitOfOne: Limits.unprovenStreamsOfOne)
  }

  public var count: Int { blocks.count }

  public func contains(_ guest: Guest) -> Bool { blocks[guest] != nil }

  /// Lets a guest wait. Returns who must go for it: never more than one, and of the block with the
  /// most guests, so that many from one place push out only each other.
  public mutating func enter(_ guest: Guest, from endpoint: Endpoint) -> Guest? {
    let block = AddressBlock(endpoint)
    guard blocks.updateValue(block, forKey: guest) == nil else { return nil }
    arrivals += 1
    places[block, default: []].append(Place(guest: guest, arrival: arrivals))
    if places[block, default: []].count > limitOfOne { return removeFirst(of: block) }
    if count > limit, let fullest = fullestBlock { return removeFirst(of: fullest) }
    return nil
  }

  /// The guest has shown who it is, or is gone.
  public mutating func leave(_ guest: Guest) {
    guard let block = blocks.removeValue(forKey: guest) else { return }
    places[block]?.removeAll { $0.guest == guest }
    if places[block]?.isEmpty == true { places[block] = nil }
  }

  /// Of blocks with equally many, the one whose first guest has waited longest.
  private var fullestBlock: AddressBlock? {
    places.max { left, right in
      if left.value.count != right.value.count { return left.value.count < right.value.count }
      return (left.value.first?.arrival ?? 0) > (right.value.first?.arrival ?? 0)
    }?.key
  }

  private mutating func removeFirst(of block: AddressBlock) -> Guest? {
    guard let first = places[block]?.first?.guest else { return nil }
    leave(first)
    return first
  }
}
