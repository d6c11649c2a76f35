// The accounts of one data directory: a document for each channel, and one for each fault.

public import ShoalLedger
internal import ShoalProtocol

public struct AccountStore: Sendable {
  private let documents: any DocumentStore

  public init(documents: any DocumentStore) { self.documents = documents }

  private static let index = "accounts"
  private static let faults = "account-faults"
  private static let faultLimit = 4_096

  /// Every channel that was kept.
  public func load() throws -> [AccountRecord] {
    try channels().compactMap { channel in
      guard let bytes = try documents.read(Self.name(channel)) else { return nil }
      return try AccountRecord(bytes: bytes)
    }
  }

  /// Durable when it returns.
  func keep(_ record: AccountRecord) throws {
    try documents.write(Self.name(record.channel), record.bytes, isSecret: true)
    var known = try channels()
    guard !known.contains(record.channel) else { return }
    known.append(record.channel)
    var writer = ByteWriter()
    writer.list(known) { $0.id($1) }
    try documents.write(Self.index, writer.bytes, isSecret: true)
  }

  private func channels() throws -> [ChannelID] {
    guard let bytes = try documents.read(Self.index) else { return [] }
    var reader = ByteReader(bytes)
    let limit = AccountBook.channelLimit
    return try reader.list("channels", limit: limit) { reader throws(WireError) in
      try reader.id()
    }
  }

  private static func name(_ channel: ChannelID) -> String { "account-\(channel.raw.hex)" }

  // MARK: Who was caught

  /// Peers that are hired no more.
  func barred() throws -> Set<PeerID> {
    guard let bytes = try documents.read(Self.faults) else { return [] }
    var reader = ByteReader(bytes)
    return Set(
      try reader.list("faults", limit: Self.faultLimit) { reader throws(WireError) in
        try reader.id()
      })
  }

  /// Keeps whom, and where there is one the proof.
  func keep(_ fault: AccountFault) throws {
    let known = try barred()
    if !known.contains(fault.peer), known.count < Self.faultLimit {
      var writer = ByteWriter()
      writer.list(known.union([fault.peer]).sorted()) { $0.id($1) }
      try documents.write(Self.faults, writer.bytes, isSecret: true)
    }
    guard let evidence = fault.evidence else { return }
    var writer = ByteWriter()
    evidence.first.write(to: &writer)
    evidence.second.write(to: &writer)
    try documents.write("evidence-\(fault.peer.raw.hex)", writer.bytes, isSecret: false)
  }
}
