// The names of things on the mesh. Each is a distinct type, so that one cannot stand for another.

/// An id that is 32 opaque bytes.
public protocol Identifier: Hashable, Comparable, Sendable, CustomStringConvertible {
  var raw: Bytes32 { get }
  init(_ raw: Bytes32)
}

extension Identifier {
  public static func < (left: Self, right: Self) -> Bool { left.raw < right.raw }
  /// The first eight hexadecimal digits: enough for a person, never for a machine.
  public var short: String { String(raw.hex.prefix(8)) }
  public var description: String { short }
}

/// A peer: its Ed25519 public key.
public struct PeerID: Identifier {
  public let raw: Bytes32
  public init(_ raw: Bytes32) { self.raw = raw }
}

/// A network that peers can belong to: the hash of its descriptor's fixed part.
public struct NetworkID: Identifier {
  public let raw: Bytes32
  public init(_ raw: Bytes32) { self.raw = raw }
}

/// A model: the hash of its canonical manifest.
public struct ModelID: Identifier {
  public let raw: Bytes32
  public init(_ raw: Bytes32) { self.raw = raw }
}

/// A content-addressed blob (an atom's weights, a manifest, a tokenizer): the hash of its bytes.
public struct BlobID: Identifier {
  public let raw: Bytes32
  public init(_ raw: Bytes32) { self.raw = raw }
}

/// A plan: the hash of its canonical bytes.
public struct PlanID: Identifier {
  public let raw: Bytes32
  public init(_ raw: Bytes32) { self.raw = raw }
}

/// A set of capability records that a plan was computed from: the hash over them, sorted.
public struct ViewID: Identifier {
  public let raw: Bytes32
  public init(_ raw: Bytes32) { self.raw = raw }
}

/// One generation, from prompt to finish: 32 random bytes chosen by its entry.
public struct JobID: Identifier {
  public let raw: Bytes32
  public init(_ raw: Bytes32) { self.raw = raw }
}

/// Orders the attempts at one job. A step of a lower term is refused.
public struct Term: Hashable, Comparable, Sendable {
  public let value: UInt32
  public init(_ value: UInt32) { self.value = value }
  public static func < (left: Term, right: Term) -> Bool { left.value < right.value }
}

/// Orders what is said about one peer; only that peer raises it (SWIM, section 4.2).
public struct Incarnation: Hashable, Comparable, Sendable {
  public let value: UInt64
  public init(_ value: UInt64) { self.value = value }
  public static func < (left: Incarnation, right: Incarnation) -> Bool { left.value < right.value }
}

/// 256-bit BLAKE2b of `bytes`: how every content-addressed id is made. The core of the protocol
/// is given the function (ShoalSecurity has it), so that this module depends on no library.
public typealias ContentHash = @Sendable (_ bytes: UnsafeRawBufferPointer) -> Bytes32
