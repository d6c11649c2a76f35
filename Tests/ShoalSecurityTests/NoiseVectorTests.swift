// Noise held to the vectors of another implementation, in all four suites that Shoal speaks.
import Foundation
import ShoalProtocol
import ShoalSecurity
import Testing

struct NoiseVector: Sendable, CustomTestStringConvertible {
  var name = ""
  var fields: [String: [UInt8]] = [:]
  var messages: [(payload: [UInt8], ciphertext: [UInt8])] = []

  var testDescription: String { name }
  var pattern: NoisePattern { name.contains("IKpsk2") ? .ikPSK2 : .xxPSK3 }
  var suite: CipherSuite { name.contains("AESGCM") ? .aesGCM : .chaChaPoly }

  static let all: [NoiseVector] = {
    let fixture = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../Fixtures/noise-cacophony.txt")
    guard let text = try? String(contentsOf: fixture, encoding: .utf8) else { return [] }
    var vectors: [NoiseVector] = []
    for line in text.split(separator: "\n") where !line.hasPrefix("#") {
      let words = line.split(separator: " ")
      let bytes = words.dropFirst().map { Hex.decode($0) ?? [] }
      switch words[0] {
      case "protocol_name":
        vectors.append(NoiseVector(name: String(words[1])))
      case "message":
        vectors[vectors.count - 1].messages.append((bytes[0], bytes[1]))
      case let field:
        vectors[vectors.count - 1].fields[String(field)] = bytes[0]
      }
    }
    return vectors.filter { CipherSuites.ofThisMachine.contains($0.suite) }
  }()

  func side(_ role: HandshakeRole) throws -> NoiseHandshake {
    let prefix = role == .initiator ? "init" : "resp"
    let field = { (name: String) in try #require(fields["\(prefix)_\(name)"]) }
    return NoiseHandshake(
      pattern, role, suite: suite, prologue: try field("prologue"),
      psk: SecretBytes(try field("psks")),
      localStatic: StaticSecret(SecretBytes(try field("static"))),
      remoteStatic: fields["\(prefix)_remote_static"].flatMap { Bytes32($0) }.map(StaticKey.init))
  }
}

@Suite struct NoiseVectorTests {
  @Test func allPatternsAreCovered() {
    let expected = CipherSuites.ofThisMachine.contains(.aesGCM) ? 4 : 2
    #expect(NoiseVector.all.count == expected)
  }

  @Test(arguments: NoiseVector.all)
  func everyMessageMatchesTheVector(vector: NoiseVector) throws {
    var sides = [try vector.side(.initiator), try vector.side(.responder)]
    let prefixes = ["init", "resp"]
    for (index, message) in vector.messages.enumerated() where !sides[0].isFinished {
      let writer = index % 2
      var script = ScriptedGenerator(
        try #require(vector.fields["\(prefixes[writer])_ephemeral"]))
      let written = try sides[writer].write(message.payload, using: &script)
      #expect(written == message.ciphertext)
      #expect(try sides[1 - writer].read(written) == message.payload)
    }
    let hash = try #require(vector.fields["handshake_hash"])
    #expect(sides.map(\.hash) == [hash, hash])
    let keys = sides.map { $0.split() }
    var nonces: [UInt64] = [0, 0]
    for (index, message) in vector.messages.enumerated().dropFirst(vector.pattern.messages.count) {
      let writer = index % 2
      let sealed = keys[writer].send.seal(message.payload, nonce: nonces[writer], data: [])
      #expect(sealed == message.ciphertext)
      #expect(
        keys[1 - writer].receive.open(sealed, nonce: nonces[writer], data: []) == message.payload)
      nonces[writer] += 1
    }
  }

  @Test(arguments: NoiseVector.all)
  func aMangledMessageIsRefusedAndSpoilsNothing(vector: NoiseVector) throws {
    var generator = SeededGenerator(seed: 3)
    for target in vector.pattern.messages.indices {
      var sides = [try vector.side(.initiator), try vector.side(.responder)]
      for index in 0...target {
        let message = try sides[index % 2].write(vector.messages[index].payload, using: &generator)
        if index == target {
          for position in message.indices {
            var mangled = message
            mangled[position] ^= UInt8(1) << UInt8(position % 8)
            // X25519 ignores the top bit of a public key (RFC 7748, section 5), the hash does not.
            #expect(throws: NoiseError.self) { try sides[1 - index % 2].read(mangled) }
            #expect(throws: NoiseError.self) {
              try sides[1 - index % 2].read(Array(message.prefix(position)))
            }
          }
        }
        #expect(try sides[1 - index % 2].read(message) == vector.messages[index].payload)
      }
    }
  }

  @Test(arguments: [NoisePattern.ikPSK2, .xxPSK3])
  func anotherNetworkKeyOrPrologueFails(pattern: NoisePattern) throws {
    for differs in ["nothing", "psk", "prologue"] {
      var generator = SeededGenerator(seed: 4)
      let keys = (0..<2).map { _ in StaticSecret(SecretBytes(count: 32, using: &generator)) }
      let psk = SecretBytes(count: 32, using: &generator)
      let other = SecretBytes(count: 32, using: &generator)
      var initiator = NoiseHandshake(
        pattern, .initiator, suite: .chaChaPoly, prologue: [1], psk: psk, localStatic: keys[0],
        remoteStatic: pattern == .ikPSK2 ? keys[1].publicKey : nil)
      var responder = NoiseHandshake(
        pattern, .responder, suite: .chaChaPoly, prologue: differs == "prologue" ? [2] : [1],
        psk: differs == "psk" ? other : psk, localStatic: keys[1])
      var refused = false
      do throws(NoiseError) {
        while !initiator.isFinished {
          _ = try responder.read(initiator.write([], using: &generator))
          if !responder.isFinished {
            _ = try initiator.read(responder.write([], using: &generator))
          }
        }
      } catch {
        refused = error == .notAuthentic
      }
      #expect(refused == (differs != "nothing"), "\(differs)")
    }
  }
}
