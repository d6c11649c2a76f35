// The bytes of gossip: golden, round trip, mangled; and the tables of docs/PROTOCOL.md.
import Foundation
import ShoalProtocol
import Testing

@Suite struct GossipMessageTests {
  private static let a = PeerID(Bytes32(hex: String(repeating: "aa", count: 32))!)
  private static let b = PeerID(Bytes32(hex: String(repeating: "bb", count: 32))!)
  private static let news = [
    MemberUpdate(a, Incarnation(version: 2, denials: 1), .alive),
    MemberUpdate(b, Incarnation(version: 3), .suspect(observer: a)),
  ]
  private static let aHex = String(repeating: "aa", count: 32)
  private static let bHex = String(repeating: "bb", count: 32)
  private static let newsHex =
    "02000000" + aHex + "0100020000000000" + "00" + bHex + "0000030000000000" + "01" + aHex

  static let golden: [(GossipMessage, String)] = [
    (.ping(sequence: 7, updates: []), "01010700000000000000"),
    (.ping(sequence: 7, updates: news), "010107000000" + newsHex),
    (.ack(sequence: 7, updates: []), "02010700000000000000"),
    (.pingRequest(sequence: 8, target: b, updates: []), "030108000000" + bHex + "00000000"),
    (.nack(sequence: 8), "040108000000"),
    (
      .updates([MemberUpdate(a, Incarnation(version: 1), .dead)]),
      "050101000000" + aHex + "0000010000000000" + "02"
    ),
    (
      .updates([MemberUpdate(a, Incarnation(version: 1), .left)]),
      "050101000000" + aHex + "0000010000000000" + "03"
    ),
    (
      .syncOffer(TableFingerprint(), isReply: true),
      "060101" + String(repeating: "00", count: 128)
    ),
    (.recordRequest([a]), "070101000000" + aHex),
    (
      .records([
        SignedRecord(body: [1, 2, 3], author: a, signature: [UInt8](repeating: 9, count: 64))!
      ]),
      "080101000000" + aHex + String(repeating: "09", count: 64) + "03000000010203"
    ),
    (.ledger([0xfe]), "090101000000fe"),
    (.custom(kind: 5, payload: [0xfe, 0xff]), "0a010502000000feff"),
  ]

  @Test(arguments: golden)
  func `a message has these bytes`(message: GossipMessage, hex: String) throws {
    #expect(Hex.encode(message.bytes) == hex)
    #expect(try GossipMessage(bytes: #require(Hex.decode(hex))) == message)
  }

  @Test func `the protocol's document shows the same bytes`() throws {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let text = try String(contentsOf: root.appending(path: "docs/PROTOCOL.md"), encoding: .utf8)
    for (message, hex) in Self.golden where hex.count <= 160 {
      #expect(text.contains("`\(hex)`"), "\(message)")
    }
  }

  @Test func `cut, lengthened and mangled bytes are refused or another message`() throws {
    var generator = SeededGenerator(1)
    var kinds: Set<UInt8> = []
    for (message, _) in Self.golden {
      let bytes = message.bytes
      kinds.insert(bytes[0])
      for end in bytes.indices {
        #expect(throws: WireError.self) { try GossipMessage(bytes: Array(bytes[..<end])) }
      }
      #expect(throws: WireError.self) { try GossipMessage(bytes: bytes + [0]) }
      for _ in 0..<500 {
        var mangled = bytes
        let position = Int.random(in: bytes.indices, using: &generator)
        mangled[position] ^= UInt8.random(in: 1...255, using: &generator)
        guard let other = try? GossipMessage(bytes: mangled) else { continue }
        #expect(other != message)
        #expect(other.bytes == mangled)
      }
    }
    #expect(kinds == Set(1...10))
  }

  @Test func `noise is refused without a trap`() {
    var generator = SeededGenerator(2)
    for _ in 0..<20_000 {
      let count = Int.random(in: 0...200, using: &generator)
      var bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
      if count > 2 { (bytes[0], bytes[1]) = (bytes[0] % 12, 1) }
      if let message = try? GossipMessage(bytes: bytes) { #expect(message.bytes == bytes) }
    }
  }

  @Test func `a list that announces more than a datagram holds is refused by its number`() {
    let lying: [UInt8] = [5, 1, 0xff, 0xff, 0xff, 0x7f]
    #expect(
      throws: WireError.tooLong(
        field: "updates", limit: GossipMessage.mostUpdates, announced: 0x7fff_ffff)
    ) { try GossipMessage(bytes: lying) }
    #expect(
      throws: WireError.tooLong(field: "gossip", limit: Limits.gossipBytes, announced: 1_101)
    ) { try GossipMessage(bytes: [UInt8](repeating: 0, count: 1_101)) }
  }
}
