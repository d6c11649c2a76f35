// What a name stands for at the moment: the outcome of its publisher's changes.

public import ShoalProtocol

public struct ModelEntry: Hashable, Sendable {
  public let publisher: PeerID
  /// What people call the model, unique for its publisher; at most 96 bytes.
  public let name: String
  /// Counts the changes of this name from 1.
  public let revision: UInt32
  public let model: ModelID
  /// Of all atoms and the tokenizer.
  public let byteCount: UInt64
  /// The publisher no longer offers it.
  public let isRetired: Bool
  /// When it was written, milliseconds since 1970 on the publisher's clock.
  public let written: UInt64
  /// Where else it can be had; may be empty.
  public let location: String

  public static let nameLimit = 96

  public init(
    publisher: PeerID, name: String, revision: UInt32, model: ModelID, byteCount: UInt64,
    isRetired: Bool, written: UInt64, location: String = ""
  ) {
    self.publisher = publisher
    self.name = name
    self.revision = revision
    self.model = model
    self.byteCount = byteCount
    self.isRetired = isRetired
    self.written = written
    self.location = location
  }

  /// The name as contracts know it: `keccak256(publisher32 || keccak256(name))`.
  public var nameID: Bytes32 { ModelEntry.nameID(publisher, name) }

  public static func nameID(_ publisher: PeerID, _ name: String) -> Bytes32 {
    Keccak256.hash(publisher.raw.bytes + Keccak256.hash(Array(name.utf8)).bytes)
  }
}
