// Two or more peers of one network, made from a seed.
import ShoalProtocol
import ShoalSecurity

struct Peers {
  var generator: SeededGenerator
  let network = NetworkID(BLAKE2b.hash(Array("a network".utf8)))
  let networkKey: NetworkKey

  init(seed: UInt64) {
    generator = SeededGenerator(seed: seed)
    networkKey = NetworkKey(using: &generator)
  }

  mutating func party(_ suites: CipherSuites = .ofThisMachine) -> HandshakeParty {
    HandshakeParty(
      identity: PeerIdentity(using: &generator), network: network, networkKey: networkKey,
      suites: suites)
  }

  mutating func stranger() -> HandshakeParty {
    HandshakeParty(
      identity: PeerIdentity(using: &generator), network: network,
      networkKey: NetworkKey(using: &generator))
  }
}

/// The error that `body` throws. Nil where it throws none.
func failure<Failure: Error>(_ body: () throws(Failure) -> Void) -> Failure? {
  do {
    try body()
    return nil
  } catch {
    return error
  }
}

extension [UInt8] {
  /// `withUnsafeMutableBytes` that keeps the type of what `body` throws.
  mutating func lend<Value, Failure: Error>(
    _ body: (UnsafeMutableRawBufferPointer) throws(Failure) -> Value
  ) throws(Failure) -> Value {
    let result: Result<Value, Failure> = unsafe withUnsafeMutableBytes { bytes in
      do throws(Failure) {
        return .success(try unsafe body(bytes))
      } catch {
        return .failure(error)
      }
    }
    return try result.get()
  }
}
