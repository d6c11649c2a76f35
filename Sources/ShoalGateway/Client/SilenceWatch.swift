// Closes a connection over which nothing comes any more: a stopped peer keeps its sockets open.

import NIOCore
import NIOHTTP1
import ShoalProtocol
import Synchronization

/// Whether silence means anything: only with somewhere else to go is leaving better than waiting.
final class SilenceGate: Sendable {
  private let open: Mutex<Bool>
  init(isOpen: Bool) { open = Mutex(isOpen) }
  var isOpen: Bool {
    get { open.withLock { $0 } }
    set { open.withLock { $0 = newValue } }
  }
}

/// Counts from the head of the answer or from the start, as it is told.
final class SilenceWatch: ChannelInboundHandler, RemovableChannelHandler {
  typealias InboundIn = HTTPClientResponsePart
  typealias InboundOut = HTTPClientResponsePart

  private let limit: TimeAmount
  private let countsFromStart: Bool
  private let gate: SilenceGate
  private var due: Scheduled<Void>?

  /// - Parameter countsFromStart: else silence before the first piece of the answer is no matter.
  init(_ silence: HTTPExchange.Silence) {
    limit = .nanoseconds(silence.limit.nanoseconds)
    countsFromStart = silence.countsFromStart
    gate = silence.gate
  }

  func handlerAdded(context: ChannelHandlerContext) {
    if countsFromStart { expect(context) }
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .body: expect(context)
    case .head: break
    case .end: due?.cancel()
    }
    context.fireChannelRead(data)
  }

  func channelInactive(context: ChannelHandlerContext) {
    due?.cancel()
    context.fireChannelInactive()
  }

  private func expect(_ context: ChannelHandlerContext) {
    due?.cancel()
    let (channel, gate) = (context.channel, gate)
    due = context.eventLoop.scheduleTask(in: limit) {
      if gate.isOpen { channel.close(promise: nil) }
    }
  }
}
