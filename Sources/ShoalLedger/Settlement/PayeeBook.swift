// All channels of one payee: what is lent to whom, and how much is risked on payers who never
// settled anything, however many names they come under.

internal import ShoalProtocol

public struct PayeeBook: Sendable {
  /// What all payers together may owe who have never settled.
  public let strangersLimit: Amount
  private var channels: [ChannelID: PayeeChannel] = [:]

  public init(strangersLimit: Amount) { self.strangersLimit = strangersLimit }

  public var all: [PayeeChannel] { channels.sorted { $0.key < $1.key }.map(\.value) }

  public subscript(id: ChannelID) -> PayeeChannel? {
    get { channels[id] }
    set { channels[id] = newValue }
  }

  /// Unsettled work for payers without any settlement.
  public var owedByStrangers: Amount {
    channels.values.filter { $0.state.settled == .zero }.reduce(.zero) { $0 + $1.unsettled }
  }

  /// Begins a session unless one operator under many names could have filled what strangers get.
  /// - Parameter isSecured: the channel's ceiling is escrow: its payer cannot run.
  public mutating func begin(
    _ session: WorkSession, on id: ChannelID, isSecured: Bool
  ) throws(SettlementError) {
    guard var channel = channels[id] else { throw .notOpen(id) }
    if !isSecured, channel.state.settled == .zero {
      let owed = owedByStrangers
      guard owed < strangersLimit else {
        throw .strangersExhausted(owed: owed, limit: strangersLimit)
      }
    }
    try channel.begin(session)
    channels[id] = channel
  }

  /// Whether to compute on for a channel; asked before each chunk.
  public func service(_ id: ChannelID, isSecured: Bool) -> Service {
    guard let channel = channels[id] else { return .closing }
    let isStranger = !isSecured && channel.state.settled == .zero
    guard !isStranger || owedByStrangers < strangersLimit else {
      return .ceilingReached(strangersLimit)
    }
    return channel.service
  }
}
