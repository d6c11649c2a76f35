// What an audit found, as a document: one row of one sum, what it was made from, and what a rank
// said that it comes to. Anybody with the atoms can recompute it.

public import ShoalInference
public import ShoalProtocol
public import ShoalSecurity

extension SigningPurpose {
  static let accusation = SigningPurpose("shoal/1 accusation")
}

/// Why an accusation cannot be rechecked.
public enum AccusationError: Error, Hashable, Sendable {
  /// No such document, or of another version.
  case damaged(WireError)
  case badSignature(PeerID)
  /// The model has no such layer, block or row.
  case doesNotFit(ModelID, field: String)
}

extension AccusationError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .damaged(let error): "this is no evidence of an audit: \(error)"
    case .badSignature(let peer): "it is not signed by \(peer.raw.hex), or was changed since"
    case .doesNotFit(let model, let field): "it does not fit the model \(model): \(field)"
    }
  }
}

/// That the numbers are wrong is shown by them alone; that the suspect said them is the word of the
/// accuser, who signs for it (docs/LEDGER.md, "Audit").
public struct Accusation: Hashable, Sendable {
  public let accuser: PeerID
  public let suspect: PeerID
  /// Ranks of the stage beside the two, sorted: one of them may have misled the suspect.
  public let others: [PeerID]
  public let model: ModelID
  public let job: JobID
  public let term: Term
  public let sequence: UInt32
  public let layer: Int
  /// The suspect's feed-forward blocks, ascending: with the model's manifest, its atoms by hash.
  public let blocks: [Int]
  /// (hidden): the residual that the layer's feed-forward read.
  public let input: [Float]
  /// (hidden), units: the suspect's part of the sum, as it said it.
  public let claimed: [Int64]
  public private(set) var signature: Signature

  /// Signs it. The accuser is `identity`.
  public init(
    of suspect: PeerID, beside others: [PeerID], model: ModelID, job: JobID, term: Term,
    sequence: UInt32, layer: Int, blocks: [Int], input: [Float], claimed: [Int64],
    by identity: PeerIdentity
  ) {
    accuser = identity.id
    self.suspect = suspect
    self.others = others.sorted()
    self.model = model
    self.job = job
    self.term = term
    self.sequence = sequence
    self.layer = layer
    self.blocks = blocks
    self.input = input
    self.claimed = claimed
    // Replaced below: what is signed is all but the signature.
    signature = identity.sign([], purpose: .accusation)
    signature = identity.sign(body, purpose: .accusation)
  }

  // MARK: Bytes

  private static let magic = Array("shoal audit 1\n".utf8)
  private static let rowLimit = 1 << 20

  private var body: [UInt8] {
    var writer = ByteWriter(reserving: 256 + 12 * input.count)
    writer.raw(Self.magic)
    writer.id(accuser)
    writer.id(suspect)
    writer.list(others) { $0.id($1) }
    writer.id(model)
    writer.id(job)
    writer.integer(term.value)
    writer.integer(sequence)
    writer.integer(UInt32(layer))
    writer.list(blocks) { $0.integer(UInt32($1)) }
    writer.list(input) { $0.integer($1.bitPattern) }
    writer.list(claimed) { $0.integer($1) }
    return writer.bytes
  }

  public var bytes: [UInt8] {
    var writer = ByteWriter()
    writer.raw(body)
    signature.write(to: &writer)
    return writer.bytes
  }

  public init(bytes: [UInt8]) throws(AccusationError) {
    do throws(WireError) {
      var reader = ByteReader(bytes)
      guard try reader.take(Self.magic.count).elementsEqual(Self.magic) else {
        throw .invalid(field: "beginning")
      }
      accuser = try reader.id()
      suspect = try reader.id()
      others = try reader.list("others", limit: Limits.peers) { reader throws(WireError) in
        try reader.id()
      }
      model = try reader.id()
      job = try reader.id()
      term = Term(try reader.integer(UInt32.self))
      sequence = try reader.integer(UInt32.self)
      layer = Int(try reader.integer(UInt32.self))
      blocks = try reader.list("blocks", limit: Self.rowLimit) { reader throws(WireError) in
        Int(try reader.integer(UInt32.self))
      }
      input = try reader.list("input", limit: Self.rowLimit) { reader throws(WireError) in
        Float(bitPattern: try reader.integer(UInt32.self))
      }
      claimed = try reader.list("claimed", limit: Self.rowLimit) { reader throws(WireError) in
        try reader.integer(Int64.self)
      }
      signature = try Signature(from: &reader)
      try reader.finish()
    } catch {
      throw .damaged(error)
    }
  }

  // MARK: Recomputing

  public enum Verdict: Hashable, Sendable {
    /// The first element that is not what it should be, in units.
    case wrong(element: Int, claimed: Int64, right: Int64)
    /// All numbers are right.
    case unfounded
  }

  /// Recomputes the row from the atoms of `library`. Blocks on the disk.
  ///
  /// - Throws: `AccusationError`, and where the model or its atoms are not here `LibraryError` or
  ///   `BlobStoreError`.
  public func recheck(in library: ModelLibrary, kernels: Kernels) throws -> Verdict {
    guard signature.isValid(for: body, purpose: .accusation, by: accuser) else {
      throw AccusationError.badSignature(accuser)
    }
    let manifest = try library.manifest(model)
    try checkFits(manifest)
    let audit = FeedForwardAudit(
      try RankModel(manifest: manifest, share: .feedForward(layer: layer, blocks: blocks)) {
        try library.atom($0)
      }, kernels: kernels)
    let difference = try unsafe input.withUnsafeBufferPointer { input in
      try unsafe claimed.withUnsafeBufferPointer { claimed in
        try unsafe audit.firstDifference(input, claimed)
      }
    }
    guard let right = difference?.sums,
      let element = right.indices.first(where: { right[$0] != claimed[$0] })
    else { return .unfounded }
    return .wrong(element: element, claimed: claimed[element], right: right[element])
  }

  private func checkFits(_ manifest: ModelManifest) throws(AccusationError) {
    let shape = manifest.shape
    func require(_ isSo: Bool, _ field: String) throws(AccusationError) {
      guard isSo else { throw .doesNotFit(model, field: field) }
    }
    try require(shape.hasSeparateFeedForward, "kind of layer")
    try require(layer < shape.layers, "layer")
    let isAscending = zip(blocks, blocks.dropFirst()).allSatisfy(<)
    try require(
      isAscending && blocks.allSatisfy { $0 < manifest.cut.feedForwardBlocks }, "blocks")
    try require(input.count == shape.hidden && claimed.count == shape.hidden, "row")
  }
}
