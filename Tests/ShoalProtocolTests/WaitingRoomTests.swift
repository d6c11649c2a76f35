// Who makes room when too many strangers wait.

import ShoalProtocol
import Testing

@Suite struct WaitingRoomTests {
  private static func address(_ last: UInt8, port: UInt16 = 1) throws -> Endpoint {
    try #require(Endpoint(address: [192, 0, 2, last], port: port))
  }

  @Test func `the longest waiting of one address makes room for the next of it`() throws {
    var room = WaitingRoom<Int>(limit: 10, limitOfOne: 3)
    for guest in 0..<3 { #expect(room.enter(guest, from: try Self.address(1)) == nil) }
    #expect(room.enter(3, from: try Self.address(1, port: 9)) == 0)
    room.leave(1)
    #expect(room.enter(4, from: try Self.address(1)) == nil)
    #expect(room.enter(5, from: try Self.address(1)) == 2)
    #expect(room.count == 3)
  }

  @Test func `whoever comes from a quiet address is never pushed out by a loud one`() throws {
    var room = WaitingRoom<Int>(limit: 20, limitOfOne: 16)
    #expect(room.enter(-1, from: try Self.address(1)) == nil)
    for guest in 0..<1_000 { _ = room.enter(guest, from: try Self.address(UInt8(2 + guest % 2))) }
    #expect(room.contains(-1))
    #expect(room.count == 20)
  }

  @Test func `of a crowd of addresses with one guest each the oldest goes`() throws {
    var room = WaitingRoom<UInt8>(limit: 100, limitOfOne: 2)
    for guest in 0..<UInt8(100) { #expect(room.enter(guest, from: try Self.address(guest)) == nil) }
    for guest in 100..<UInt8(200) {
      #expect(room.enter(guest, from: try Self.address(guest)) == guest - 100)
    }
  }

  @Test func `a site of IPv6 counts as one, hosts of IPv4 each for itself`() throws {
    let site = try ["[2001:db8:0:1::1]:1", "[2001:db8:0:1:ffff::2]:2"].map {
      AddressBlock(try #require(Endpoint($0)))
    }
    #expect(site[0] == site[1])
    #expect(site[0] != AddressBlock(try #require(Endpoint("[2001:db8:0:2::1]:1"))))
    #expect(
      AddressBlock(try Self.address(1, port: 1)) == AddressBlock(try Self.address(1, port: 2)))
    #expect(AddressBlock(try Self.address(1)) != AddressBlock(try Self.address(2)))
  }
}
