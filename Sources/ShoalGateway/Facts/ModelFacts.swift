// One element of `models --json` and of `GET /api/models`, and what `import --json` prints.

public import ShoalLedger
public import ShoalNode
import ShoalProtocol

/// A model that the mesh offers.
public struct ModelFacts: Codable, Sendable, Hashable {
  public let name: String
  /// The hash of its manifest, 64 hexadecimal digits.
  public let model: String
  /// The peer that offers it.
  public let publisher: String
  /// Of all its atoms and its tokenizer.
  public let bytes: UInt64
  /// Atoms that the asked peer holds, and how many there are; nil before the manifest is there.
  public let held: Int?
  public let atoms: Int?

  public init(_ entry: ModelEntry, held: Int? = nil, atoms: Int? = nil) {
    name = entry.name
    model = entry.model.raw.hex
    publisher = entry.publisher.raw.hex
    bytes = entry.byteCount
    self.held = held
    self.atoms = atoms
  }

  public init(_ status: ModelStatus) {
    self.init(status.entry, held: status.held, atoms: status.atoms)
  }
}
